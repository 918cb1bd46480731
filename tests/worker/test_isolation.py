"""What data migrations do beside their database stays within the proof."""

from __future__ import annotations

from tests.proof.projects import ITEM, Site, migration
from tests.proof.test_schema import differences

SETTINGS = """
MEDIA_ROOT = {root!r} + "/media"
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = {root!r} + "/mails"
FILES = "django.core.cache.backends.filebased.FileBasedCache"
CACHES = {{"default": {{"BACKEND": FILES, "LOCATION": {root!r} + "/cache", "KEY_PREFIX": "a", "OPTIONS": {{"x": 1}}}}}}
STATIC_ROOT, STATIC_URL = {root!r} + "/static", "static/"
STORAGES = {{
    "default": {{"BACKEND": "django.core.files.storage.FileSystemStorage"}},
    "staticfiles": {{"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}},
    "own": {{"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {{"location": {root!r} + "/own"}}}},
}}
"""
HEAD = """\
    from pathlib import Path
    from django.conf import settings
    from django.core.cache import cache
    from django.core.files.base import ContentFile
    from django.core.files.storage import FileSystemStorage, default_storage, storages
    from django.core.mail import send_mail

    def run(apps, editor):
        for storage in (default_storage, storages["staticfiles"], storages["own"], FileSystemStorage()):
            with storage.open(storage.save("a/b.txt", ContentFile(b"text"))) as file:
                assert file.read() == b"text"
        Path(settings.MEDIA_ROOT, "c.txt").write_text("text")
        send_mail("subject", "text", None, ["a@example.com"])
        cache.set("key", "value")
        assert cache.get("key") == "value"
    """


def test_nothing_is_written_outside(tmp_path):
    site = Site(tmp_path / "site").settings("shop", more=SETTINGS.format(root=str(tmp_path / "real")))
    site.app("shop", "", {})
    run = migration(ITEM, "migrations.RunPython(run)", head=HEAD)
    assert differences(site, run, run + "\n") == []
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
