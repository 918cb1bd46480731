"""What a migration does beside its database, kept within the process or in a directory that goes with the proof.

E-mail, caches, files: those that Django itself leads to. Task queues, HTTP, files by a path of their own are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

MAIL: Final = "django.core.mail.backends.locmem.EmailBackend"
CACHES: Final = tuple(f"django.core.cache.backends.{name}Cache" for name in ("locmem.LocMem", "dummy.Dummy"))
FILES: Final = "django.core.files.storage.FileSystemStorage"
STATIC: Final = "django.contrib.staticfiles.storage.StaticFilesStorage"


def keep_local(directory: Path) -> None:
    """Have settings that are loaded, and of which nothing has made use yet, lead to nothing outside."""
    from django.conf import settings

    if mailers := getattr(settings, "MAILERS", None):  # Django 6.1
        settings.MAILERS = {alias: {"BACKEND": MAIL} for alias in mailers}
    else:
        settings.EMAIL_BACKEND = MAIL
    settings.CACHES = {alias: _cache(alias, values) for alias, values in settings.CACHES.items()}
    roots = {alias: directory / "storages" / alias for alias in ("default", "staticfiles", *settings.STORAGES)}
    for root in roots.values():
        root.mkdir(parents=True, exist_ok=True)
    settings.MEDIA_ROOT, settings.STATIC_ROOT = str(roots["default"]), str(roots["staticfiles"])
    settings.STORAGES = {
        alias: {"BACKEND": STATIC if alias == "staticfiles" else FILES, "OPTIONS": {"location": str(roots[alias])}}
        for alias in settings.STORAGES
    }


def _cache(alias: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    if values.get("BACKEND") in CACHES:
        return values
    kept = {key: value for key, value in values.items() if key != "OPTIONS"}
    return {**kept, "BACKEND": CACHES[0], "LOCATION": alias}
