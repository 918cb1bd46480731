"""Reading directories, with and without the cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from migsync.errors import HistoryError
from migsync.findings import Severity
from migsync.history import App, Cache, History, Key, parse_migration, read_history, reader

INITIAL = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = []\n"
SECOND = INITIAL.replace("[]", '[("shop", "0001_initial")]')
LONG_AGO = 1_700_000_000_123_456_789


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    directory = tmp_path / "shop" / "migrations"
    directory.mkdir(parents=True)
    (directory / "__init__.py").touch()
    (directory / "0001_initial.py").write_text(INITIAL)
    (directory / "0002_b.py").write_text(SECOND)
    return directory


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the files that were read."""
    found: list[str] = []
    read = reader._read

    def counted(module: reader.MigrationFile) -> reader.Header:
        found.append(module.name)
        return read(module)

    monkeypatch.setattr(reader, "_read", counted)
    yield found


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock by which every file is old enough to be remembered."""
    monkeypatch.setattr(reader, "now", lambda: time.time_ns() + 10_000_000_000)


def app(directory: Path, *, first_party: bool = True) -> App:
    return App("shop", str(directory), first_party)


def read(directory: Path, cache: Path | None = None) -> History:
    return read_history([app(directory)], cache=Cache(cache) if cache else None)


def test_a_directory_becomes_a_history(shop: Path) -> None:
    history = read(shop)
    assert history.names("shop") == ("0001_initial", "0002_b")
    assert history.parents(Key("shop", "0002_b")) == (Key("shop", "0001_initial"),)
    assert history.findings == ()
    assert history.first_party == {"shop"}
    migration = history.migrations[Key("shop", "0002_b")]
    assert migration == parse_migration(SECOND.encode(), migration.key, str(shop / "0002_b.py"))


def test_apps_without_migrations(shop: Path, tmp_path: Path) -> None:
    history = read_history([App("none", None), App("gone", str(tmp_path / "gone")), app(shop)])
    assert [each.directory for each in history.apps.values()] == [None, None, str(shop)]


def test_broken_first_party_files_are_all_named(shop: Path) -> None:
    (shop / "0003_c.py").write_text("class Migration:\n<<<<<<< HEAD\n")
    with pytest.raises(HistoryError, match=r"0003_c\.py:2: conflict markers"):
        read(shop)
    (shop / "0002_b.py").write_bytes(b"x = '\xe9'")
    with pytest.raises(HistoryError) as caught:
        read(shop)
    assert "0002_b.py:1: wrong encoding" in caught.value.found
    assert "0003_c.py:2: conflict markers" in caught.value.found


def test_a_broken_file_of_somebody_else_is_a_finding(shop: Path) -> None:
    (shop / "0003_c.py").write_text("class Migration(:")
    history = read_history([app(shop, first_party=False)])
    (finding,) = history.findings
    assert (finding.code, finding.severity) == ("broken-migration", Severity.ERROR)
    assert (finding.name, finding.line) == ("0003_c", 1)
    assert "0003_c" in history.names("shop")


def test_what_cannot_be_read_is_a_finding_with_file_and_line(shop: Path, tmp_path: Path, later: None) -> None:
    (shop / "0003_c.py").write_text("from base import BASE\nclass Migration:\n    dependencies = BASE\n")
    (shop / "0004_d.pyc").touch()
    for _ in range(2):  # the second time from the cache
        source, compiled = read(shop, tmp_path / "cache").findings
        assert (source.code, source.severity) == ("unreadable-migration", Severity.ERROR)
        assert (source.file, source.line) == (str(shop / "0003_c.py"), 3)
        assert "compiled" in compiled.found


def test_an_error_in_the_operations_shows_when_their_digest_is_wanted(shop: Path) -> None:
    (shop / "0003_c.py").write_text(
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    operations = [\n"
        "        migrations.RunSQL(,),\n    ]\n"
    )
    migration = read(shop).migrations[Key("shop", "0003_c")]
    with pytest.raises(HistoryError, match=r"0003_c\.py:6: not valid Python"):
        _ = migration.digest


def test_a_digest_is_never_that_of_a_later_content(shop: Path) -> None:
    history = read(shop)
    (shop / "0002_b.py").write_text(SECOND.replace("0001_initial", "0001_ninitial"))
    with pytest.raises(HistoryError, match="was changed"):
        _ = history.migrations[Key("shop", "0002_b")].digest
    (shop / "0001_initial.py").unlink()
    with pytest.raises(HistoryError, match="No such file"):
        _ = history.migrations[Key("shop", "0001_initial")].digest


def test_an_unchanged_file_is_not_read_again(shop: Path, tmp_path: Path, reads: list[str], later: None) -> None:
    first = read(shop, tmp_path / "cache")
    assert reads == ["0001_initial", "0002_b"]
    again = read(shop, tmp_path / "cache")
    assert reads == ["0001_initial", "0002_b"]
    assert again == first


@pytest.mark.parametrize("how", ["size", "mtime", "replaced"])
def test_a_changed_file_is_read_again(shop: Path, tmp_path: Path, reads: list[str], later: None, how: str) -> None:
    file = shop / "0002_b.py"
    os.utime(file, ns=(LONG_AGO, LONG_AGO))
    read(shop, tmp_path / "cache")
    reads.clear()
    if how == "replaced":  # same size and mtime: only the time of the change of the entry tells
        other = shop / "other"
        other.write_text(SECOND.replace("initial", "INITIAL"))
        other.replace(file)
    else:
        file.write_text(SECOND.replace("0001_initial", "0001_x" if how == "size" else "0001_INITIAL"))
    if how != "mtime":
        os.utime(file, ns=(LONG_AGO, LONG_AGO))
    (dependency,) = read(shop, tmp_path / "cache").migrations[Key("shop", "0002_b")].dependencies
    assert reads == ["0002_b"]
    assert dependency.name in ("0001_x", "0001_INITIAL")


def test_a_file_as_young_as_the_clock_is_coarse_is_not_trusted(
    shop: Path, tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = (shop / "0002_b.py").stat()
    monkeypatch.setattr(reader, "now", lambda: max(stamp.st_mtime_ns, stamp.st_ctime_ns))
    read(shop, tmp_path / "cache")
    read(shop, tmp_path / "cache")
    assert reads.count("0002_b") == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 500,
        b"[]",
        b"null",
        b'{"migsync": 1}',
        b'{"migsync": 1, "directories": 5}',
        b'{"migsync": 0, "directories": {}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_corrupt_or_foreign_cache_counts_as_none(shop: Path, tmp_path: Path, later: None, content: bytes) -> None:
    cache = tmp_path / "cache"
    cache.write_bytes(content)
    expected = read(shop)
    assert read(shop, cache) == expected
    assert read(shop, cache) == expected


@pytest.mark.parametrize("entry", [None, [], "x", [1, 2, 3], {"a": 1}, [0] * 10])
def test_a_cache_with_damaged_entries(shop: Path, tmp_path: Path, later: None, entry: object) -> None:
    cache = tmp_path / "cache"
    expected = read(shop, cache)
    document = json.loads(cache.read_bytes())
    stamp = document["directories"][str(shop)]["0002_b.py"][:3]
    document["directories"][str(shop)]["0002_b.py"] = [*stamp, *entry[3:]] if isinstance(entry, list) else entry
    cache.write_text(json.dumps(document))
    assert read(shop, cache) == expected


def test_a_cache_that_cannot_be_written(shop: Path, tmp_path: Path, later: None) -> None:
    (tmp_path / "file").touch()
    assert read(shop, tmp_path / "file" / "cache") == read(shop)
    (tmp_path / "directory").mkdir()
    assert read(shop, tmp_path / "directory") == read(shop)


CONTEND = """
import sys
from pathlib import Path
from migsync.history import App, Cache, read_history, reader
reader.now = lambda: 2**62
for _ in range(30):
    history = read_history([App("shop", sys.argv[1])], cache=Cache(Path(sys.argv[2])))
    assert history.names("shop") == ("0001_initial", "0002_b"), history
    Path(sys.argv[2]).unlink(missing_ok=True)
"""


@pytest.mark.django
def test_several_processes_at_once(shop: Path, tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", CONTEND, str(shop), str(tmp_path / "cache")]
    running = [subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in running:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert not list(tmp_path.glob("cache*.tmp"))


@pytest.mark.parametrize("what", ["a pipe", "a device", "a gigabyte"])
def test_a_file_that_must_not_be_read(shop: Path, what: str) -> None:
    path = shop / "0003_c.py"
    if what == "a pipe":
        os.mkfifo(path)
    elif what == "a device":
        path.symlink_to("/dev/zero")
    else:
        path.touch()
        os.truncate(path, 2**30)  # sparse: it takes no room
    with pytest.raises(HistoryError, match="larger than 32 MB" if what == "a gigabyte" else "a device or a pipe"):
        read(shop)
