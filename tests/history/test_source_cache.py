"""The digests of operations are remembered, and never those of another file, another app or another migsync."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migsync.history import App, Cache, Key, read_history, source_cache
from migsync.history.source_cache import SourceCache

pytestmark = pytest.mark.pure

FILE = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = []
    operations = [migrations.AddField("item", "price", models.IntegerField(default={default}))]
"""


def digest_of(directory: Path, path: Path, label: str = "shop") -> tuple[str, Cache]:
    cache = Cache(path)
    history = read_history([App(label, str(directory))], cache=cache)
    found = history.migrations[Key(label, "0001_price")].digest
    cache.digests.save()
    return found, cache


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    found = tmp_path / "migrations"
    found.mkdir()
    (found / "__init__.py").touch()
    (found / "0001_price.py").write_text(FILE.format(default=1))
    return found


def test_a_file_is_not_read_again(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = digest_of(directory, tmp_path / "c.history")
    monkeypatch.setattr("migsync.history.parser.read_contents", lambda *_: pytest.fail("was read again"))
    assert digest_of(directory, tmp_path / "c.history")[0] == first


def test_another_content_has_another_digest(directory: Path, tmp_path: Path) -> None:
    first, _ = digest_of(directory, tmp_path / "c.history")
    (directory / "0001_price.py").write_text(FILE.format(default=2))
    second, _ = digest_of(directory, tmp_path / "c.history")
    (directory / "0001_price.py").write_text(FILE.format(default=1))
    assert first != second
    assert digest_of(directory, tmp_path / "c.history")[0] == first


def test_an_app_has_its_own(tmp_path: Path) -> None:
    cache = SourceCache(tmp_path / "c.digests")
    assert [cache.of(app, "source", lambda app=app: f"2:{app}") for app in ("a", "b", "a")] == ["2:a", "2:b", "2:a"]  # type: ignore[misc]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"migsync": "0", "texts": {"a source": "2:old"}}', "\x00"])
def test_what_is_not_of_this_migsync_counts_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "c.digests"
    path.write_text(content)
    cache = SourceCache(path)
    assert cache.of("a", "source", lambda: "2:new") == "2:new"
    cache.save()
    assert json.loads(path.read_text())["texts"] == {"a source": "2:new"}


def test_only_so_many_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_cache, "LIMIT", 2)
    path = tmp_path / "c.digests"
    for source in ("first", "second", "third"):
        cache = SourceCache(path)
        cache.of("a", source, lambda source=source: source)  # type: ignore[misc]
        cache.save()
    assert list(json.loads(path.read_text())["texts"]) == ["a second", "a third"]


def test_a_directory_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = SourceCache(tmp_path / "file" / "c.digests")
    assert cache.of("a", "source", lambda: "2:new") == "2:new"
    cache.save()
