"""A file is written whole or not at all, by every command that writes one."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from migsync.cli.output import write_output, write_outputs
from migsync.cli.program import run
from migsync.errors import MigsyncError, RewriteError
from migsync.filesystem.atomic import PartlyWritten, write_file, write_files
from migsync.rewrites.rewrite_files import write_rewrite
from tests.files.commit.story import REWRITE, umask

MIGRATION = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = [{}]\n"


@contextmanager
def full_disk(size: int = 100) -> Iterator[None]:
    """No file can grow beyond `size` bytes: what a full disk does, without a mount."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def held(place: Path) -> dict[str, str | bytes]:
    return {
        path.relative_to(place).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def test_the_mode_of_an_existing_file_is_kept_and_a_new_one_has_the_usual(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"old")
    old.chmod(0o640)
    with umask(0o027):
        write_files({old: b"1", new: b"2"})
    assert held(tmp_path) == {"old": b"1", "new": b"2"}
    assert [stat.S_IMODE(path.stat().st_mode) for path in (old, new)] == [0o640, 0o640]
    with umask(0o022):
        write_file(tmp_path / "other", b"")
    assert stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o644


def test_somebody_who_reads_keeps_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with path.open("rb") as file:
        write_file(path, b"new")
        assert file.read() == b"old"
    assert path.read_bytes() == b"new"


def test_a_link_is_neither_followed_nor_replaced(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    for name, to in (("link", "victim"), ("dangling", "nowhere"), ("directory", ".")):
        (tmp_path / name).symlink_to(to)
        before = held(tmp_path)
        with pytest.raises(OSError, match=f"symbolic link to {to}"):
            write_files({tmp_path / "first": b"1", tmp_path / name: b"2"})
        assert held(tmp_path) == before


def test_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    write_file(Path(os.devnull), b"gone")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    code = "import pathlib, migsync.filesystem.atomic as it; it.write_file(pathlib.Path('/dev/stdout'), b'x')"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"x"


def test_a_directory_and_a_read_only_file_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "directory").mkdir()
    with pytest.raises(IsADirectoryError):
        write_file(tmp_path / "directory", b"")
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(0o400)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write to it all the same
    with pytest.raises(MigsyncError, match="read-only"):
        write_output(tmp_path / "file", "new")
    assert held(tmp_path) == {"file": b"old"}


FAULTS = ["os.open", "os.fdopen", "os.fsync", "pathlib.Path.chmod", "pathlib.Path.replace"]


@pytest.mark.parametrize("call", FAULTS)
@pytest.mark.parametrize("number", range(4))
def test_a_fault_at_any_call_leaves_all_files_as_they_were_or_says_which_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    paths = [tmp_path / name for name in ("a", "b")]
    for path in paths:
        path.write_bytes(b"old")
    real = eval(call, {"os": os, "pathlib": sys.modules["pathlib"]})
    calls = 0

    def fails(*arguments: object, **keywords: object) -> object:
        nonlocal calls
        calls += 1
        if calls == number + 1:
            raise OSError(28, "No space left on device")
        return real(*arguments, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(call, fails)
        try:
            write_files(dict.fromkeys(paths, b"new"))
        except PartlyWritten as error:
            assert [path for path in paths if path.read_bytes() == b"new"] == list(error.written)
        except OSError:
            assert held(tmp_path) == {"a": b"old", "b": b"old"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_several_outputs_say_what_exists_where_one_cannot_be_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def fails(source: Path, path: Path) -> Path:
        if path.name == "b":
            raise OSError(5, "Input/output error")
        return replace(source, path)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(MigsyncError, match=r"(?s)Input/output error.*These were written.*/a\..*--force"):
        write_outputs(tmp_path, {tmp_path / "a": "1", tmp_path / "b": "2"})
    assert held(tmp_path) == {"a": b"1"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_database: object) -> Path:
    """A project whose one migration was renamed, with files of the names that commands will write."""
    root = tmp_path / "project"
    migrations = root / "shop/migrations"
    migrations.mkdir(parents=True)
    for path in (root / "shop/__init__.py", migrations / "__init__.py"):
        path.touch()
    (migrations / "0002_new.py").write_text(MIGRATION.format(""))
    sqlite_database.create_table()  # type: ignore[attr-defined]
    sqlite_database.insert([(1, "shop", "0001_old", "2026-01-01 10:00:00")])  # type: ignore[attr-defined]
    (root / "pyproject.toml").write_text(
        f'[tool.migsync.apps]\nshop = "shop"\n[tool.migsync.databases.default]\nurl = "{sqlite_database.url}"\n'  # type: ignore[attr-defined]
    )
    (root / "sql").mkdir()
    for name in ("plan.json", "graph.html", "sql/default.apply.sql", "sql/default.undo.sql"):
        (root / name).write_text("old")
    monkeypatch.chdir(root)
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    return root


MAPPED = ("--map", "shop.0001_old=0002_new")
COMMANDS: dict[str, tuple[str, ...]] = {
    "plan -o": ("plan", *MAPPED, "-o", "plan.json"),
    "graph -o": ("graph", "--format", "html", "-o", "graph.html"),
    "rewrite": ("rewrite", *MAPPED),
    "script": ("script", "--out", "sql", "--force"),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_a_full_disk_leaves_every_file_as_it_was(project: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    if what == "script":
        assert run(["rewrite", *MAPPED]) == 0
    before = held(project)
    with full_disk():
        assert run(COMMANDS[what]) == 1
    assert "File too large" in capsys.readouterr().err
    assert held(project) == before
    assert run(COMMANDS[what]) == 0
    assert held(project) != before


@pytest.mark.parametrize(
    ("name", "command"), [("plan.json", "plan -o"), ("graph.html", "graph -o"), ("sql/default.undo.sql", "script")]
)
def test_a_command_does_not_write_through_a_link(
    project: Path, name: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rewrite", *MAPPED]) == 0
    (project / name).unlink()
    (project / name).symlink_to("../victim")
    before = held(project)
    assert run([word for word in COMMANDS[command] if word not in MAPPED]) == 1
    assert "symbolic link" in capsys.readouterr().err
    assert held(project) == before
    assert not (project.parent / "victim").exists()


def test_a_script_is_never_named_out_of_its_directory(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rewrite", *MAPPED]) == 0
    config = project / "pyproject.toml"
    config.write_text(config.read_text().replace("databases.default", 'databases."../../evil"'))
    assert run(["script", "--out", "sql"]) == 1
    assert "cannot be part of a file name" in capsys.readouterr().err
    assert not list(project.parent.rglob("*evil*"))


def test_rewrites_stay_inside_the_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "migration_rewrites").symlink_to("..")
    assert run(["rewrite", *MAPPED]) == 1
    assert "outside the project" in capsys.readouterr().err


def test_a_full_disk_leaves_no_part_of_a_rewrite(tmp_path: Path) -> None:
    with full_disk(), pytest.raises(RewriteError, match="File too large"):
        write_rewrite(tmp_path, REWRITE)
    assert list(tmp_path.iterdir()) == []
