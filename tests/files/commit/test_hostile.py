"""A `.migsync` that came with a clone, or from somebody else: looked at, told of, and never acted upon."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import random
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from migsync.cli.program import run
from migsync.errors import FilesRefused, MigsyncError, Unsettled
from migsync.files.commit import commit, commits, foreign_records, is_open, recover_files, trust_records, undo_files
from migsync.files.commit.store import Store
from migsync.files.commit.syscalls import Files
from migsync.files.proposal import FileChange, Proposal
from migsync.filesystem.user_key import key_file, missing_key, user_key
from tests.databases import unavailable
from tests.files.commit.story import BEFORE, is_new, make_project, make_proposal, project_at, tree
from tests.files.commit.test_real_faults import NOBODY
from tests.profiles import examples

ID = "ab" * 16
EVIL = b"evil = True\n"
PYPROJECT = '[tool.migsync.apps]\nshop = "shop"\n[tool.migsync.databases.default]\nurl = "sqlite:///db.sqlite3"\n'
MIGRATION = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = []\n"
Held = dict[str, bytes | int | str]


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A directory with a project in `project`, and what must not be touched in `outside` and in `.git`."""
    root, outside = tmp_path / "project", tmp_path / "outside"
    for path, text in {
        root / "pyproject.toml": PYPROJECT,
        root / "shop/__init__.py": "",
        root / "shop/migrations/__init__.py": "",
        root / "shop/migrations/0001_initial.py": MIGRATION,
        root / ".git/config": "[core]\n",
        root / ".git/hooks/pre-commit": "#!/bin/sh\n",
        outside / "victim.py": "precious = True\n",
        outside / "full/precious.txt": "precious\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def everything(place: Path) -> Held:
    """All that is below: bytes of files, modes of directories, where links lead."""
    found: Held = {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        else:
            found[name] = stat.S_IMODE(path.stat().st_mode) if path.is_dir() else path.read_bytes()
    return found


def slot(path: Any, before: bytes | None = None, after: bytes | None = EVIL, mode: Any = 0o644) -> dict[str, Any]:
    def content(value: bytes | None) -> dict[str, Any] | None:
        return None if value is None else {"digest": hashlib.sha256(value).hexdigest(), "mode": mode}

    return {"path": path, "before": content(before), "after": content(after)}


def record_of(*slots: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "id": ID,
        "number": 1,
        "command": "linearize",
        "created": "2026-02-01T10:00:00Z",
        "slots": list(slots),
        "runs": [],
        "directories": [],
        "emptied": [],
        "unheld": [],
        "undoes": "",
        **more,
    }


def forge(root: Path, record: Any, *, commit_id: Any = ID, state: Any = "decided", aside: Any = ()) -> None:
    """Write a state directory as whoever makes a hostile repository would."""
    place = root / ".migsync/commits" / ID
    place.mkdir(parents=True, exist_ok=True)
    (place / "record.json").write_text(json.dumps(record))
    (root / ".migsync/open").write_text(json.dumps({"commit": commit_id, "state": state, "aside": list(aside)}))
    with tarfile.open(place / "files.tar", "w") as archive:
        for each in record["slots"] if isinstance(record, dict) and isinstance(record.get("slots"), list) else ():
            path = each.get("path") if isinstance(each, dict) else None
            if isinstance(path, str) and "\0" not in path and path.isascii():
                member = tarfile.TarInfo(f"after/{path}")
                member.size = len(EVIL)
                archive.addfile(member, io.BytesIO(EVIL))


OUTSIDE = {
    "a path with ..": lambda box: record_of(slot("../outside/new.py")),
    "a file to be overwritten": lambda box: record_of(slot("../outside/victim.py", b"precious = True\n")),
    "a file to be removed": lambda box: record_of(slot("../outside/victim.py", b"precious = True\n", None)),
    "an absolute path": lambda box: record_of(slot(f"{box}/outside/new.py")),
    "a hook of git": lambda box: record_of(slot(".git/hooks/post-checkout", mode=0o755)),
    "another case of .git": lambda box: record_of(slot("shop/.GIT/config")),
    "its own directory": lambda box: record_of(slot(".migsync/lock")),
    "a directory to be made": lambda box: record_of(directories=["../outside/made"]),
    "a directory to be removed": lambda box: record_of(emptied=["../outside/full"]),
    "an id that leads out": lambda box: record_of(slot("shop/migrations/x.py"), id="../../../outside"),
    "a file of this project": lambda box: record_of(slot("shop/migrations/0002_evil.py")),
    "set-user-ID": lambda box: record_of(slot("shop/migrations/0002_evil.py", mode=0o6755)),
}
READING = (("plan",), ("status",), ("graph",), ("recover",), ("script", "--out", "sql"))


@pytest.mark.parametrize("state", ["staging", "staged", "decided"])
@pytest.mark.parametrize("what", OUTSIDE)
def test_commands_do_nothing_that_a_forged_record_says(
    box: Path, what: str, state: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(box / "project")
    forge(box / "project", OUTSIDE[what](box), state=state)
    before = everything(box)
    for command in READING:
        assert run(command) == 6, command
        said = capsys.readouterr().err
        assert "migsync did not act on it" in said
        assert "rm " in said
    with pytest.raises(Unsettled):
        recover_files(box / "project", lambda *_: True)
    assert commits(box / "project") == ()
    (box / "project/.migsync/open").rename(box / f"project/.migsync/commits/{ID}/closed")
    assert run(["undo", "--files", "--noinput"]) == 1
    (box / f"project/.migsync/commits/{ID}/closed").rename(box / "project/.migsync/open")
    assert everything(box) == before


@pytest.mark.parametrize("what", [name for name in OUTSIDE if "this project" not in name and name != "set-user-ID"])
def test_trust_does_not_reach_outside_either(box: Path, what: str) -> None:
    forge(box / "project", OUTSIDE[what](box))
    before = everything(box)
    with pytest.raises(MigsyncError):
        trust_records(box / "project")
    with pytest.raises(Unsettled):
        recover_files(box / "project", lambda *_: True)
    assert {name: held for name, held in everything(box).items() if not name.endswith(("lock", ".gitignore"))} == before


def test_a_mode_is_masked(box: Path) -> None:
    forge(box / "project", OUTSIDE["set-user-ID"](box))
    trust_records(box / "project")
    assert recover_files(box / "project", lambda *_: True)
    made = box / "project/shop/migrations/0002_evil.py"
    assert (made.read_bytes(), stat.S_IMODE(made.stat().st_mode)) == (EVIL, 0o755)


class PowerCut(BaseException):
    """The process ends here."""


def cut_off(root: Path) -> None:
    """A real change of files that was decided and not begun to be put in place; with this user's seal."""

    def fault(_call: str, _path: Path) -> None:
        opened = Store(root).opened()
        if opened and opened[0].state == "decided":
            raise PowerCut

    with pytest.raises(PowerCut):
        commit(project_at(root), make_proposal(root), files=Files(fault))


LEVELS: dict[str, Callable[[str], str]] = {
    ".migsync": lambda commit: ".migsync",
    "open": lambda commit: ".migsync/open",
    "lock": lambda commit: ".migsync/lock",
    "open.new": lambda commit: ".migsync/open.new",
    ".gitignore": lambda commit: ".migsync/.gitignore",
    "commits": lambda commit: ".migsync/commits",
    "a commit": lambda commit: f".migsync/commits/{commit}",
    "another commit": lambda commit: f".migsync/commits/{'c' * 32}",
    "a record": lambda commit: f".migsync/commits/{commit}/record.json",
    "an archive": lambda commit: f".migsync/commits/{commit}/files.tar",
    "an app": lambda commit: "shop",
    "migrations": lambda commit: "shop/migrations",
    "a migration": lambda commit: "shop/migrations/0003_b.py",
    "bytecode": lambda commit: "shop/migrations/__pycache__",
}


@pytest.mark.parametrize("level", LEVELS)
def test_a_link_at_every_level_is_not_followed(tmp_path: Path, level: str) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside"
    project = make_project(root)
    cut_off(root)
    (found,) = [path.name for path in (root / ".migsync/commits").iterdir()]
    path = root / LEVELS[level](found)
    if path.exists():
        path.rename(outside)
    elif level in ("lock", "open.new"):
        outside.write_bytes(b"precious")
    else:
        outside.mkdir()
        for name in ("closed", "0003_b.cpython-313.pyc", "precious"):
            (outside / name).write_bytes(b"precious")
    path.symlink_to(outside)
    before = everything(tmp_path)
    with pytest.raises(Unsettled):
        recover_files(root, lambda *_: True)
    with pytest.raises((Unsettled, FilesRefused)):
        commit(project, make_proposal(root), timeout=0)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("level", [level for level in LEVELS if level not in ("open", "a migration", "a record")])
def test_a_link_where_nothing_is_under_way_is_not_written_through(tmp_path: Path, level: str) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside"
    project = make_project(root)
    made = commit(project, make_proposal(root))
    outside.mkdir()
    for name in ("closed", "record.json", "files.tar", "0003_b.cpython-313.pyc"):
        (outside / name).write_bytes(b"precious")
    path = root / LEVELS[level](made.id)
    if path.exists():
        path.rename(tmp_path / "away")
    path.symlink_to(outside / "closed" if level in ("lock", "open.new", ".gitignore", "an archive") else outside)
    before = everything(tmp_path)
    with pytest.raises((MigsyncError, StopIteration)):
        undo_files(project, next(iter(commits(root))))
    with pytest.raises((FilesRefused, MigsyncError)):
        commit(project, make_proposal(root))
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    "content",
    [b"", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000, b"\xff\xfe", b"{}", b"[]", b"null", b"NaN", b"true"],
    ids=lambda content: repr(content[:8]),
)
@pytest.mark.parametrize("name", ["open", f"commits/{ID}/record.json"])
def test_documents_that_are_none(box: Path, name: str, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    root = box / "project"
    forge(root, record_of(slot("shop/migrations/x.py")))
    (root / ".migsync" / name).write_bytes(content)
    before = everything(box)
    with pytest.raises(Unsettled):
        recover_files(root, lambda *_: True)
    assert run(["recover", "--trust", "--noinput", "--root", str(root)]) == 6
    assert "Next: " in capsys.readouterr().err
    assert everything(box) == before


def test_a_file_that_is_too_large_or_a_pipe(box: Path) -> None:
    root = box / "project"
    forge(root, record_of(slot("shop/migrations/x.py")))
    os.truncate(root / ".migsync/open", 10 * 2**30)  # sparse: it takes no room
    with pytest.raises(Unsettled, match="larger than 64 MB"):
        recover_files(root, lambda *_: True)
    (root / ".migsync/open").unlink()
    os.mkfifo(root / ".migsync/open")
    with pytest.raises(Unsettled, match="a device or a pipe"):
        recover_files(root, lambda *_: True)


def test_a_directory_of_another_user(tmp_path: Path) -> None:
    if os.geteuid():
        unavailable("only root can give files away")
    root = tmp_path / "project"
    project = make_project(root)
    commit(project, make_proposal(root))
    os.chown(root / ".migsync", NOBODY, NOBODY)
    before = everything(tmp_path)
    with pytest.raises(FilesRefused, match="belongs to another user"):
        commits(root)
    with pytest.raises(FilesRefused, match="belongs to another user"):
        commit(project, make_proposal(root))
    (root / ".migsync/open").write_bytes(b"{}")
    with pytest.raises(Unsettled, match="belongs to another user"):
        recover_files(root, lambda *_: True)
    (root / ".migsync/open").unlink()
    assert everything(tmp_path) == before
    # As root in a container: what migsync makes belongs to whoever has the project.
    os.chown(root, NOBODY, NOBODY)
    assert len(commits(root)) == 1


PLACES = [
    "../outside/victim.py", "/etc/passwd", "shop/../../outside/victim.py", "shop//x.py", "./x.py", ".", "..", "", "\0",
    "shop/migrations/a\0b.py", ".git/config", ".Git/hooks/x", ".migsync/open", "link/x.py", "shop/migrations/", "~/x",
    "x" * 300, "shop/" * 600 + "x.py", "\ud800", "shop/migrations/\u202e.py", "shop/\n.py", "CON", "outside\\victim.py",
    "shop/migrations/0001_initial.py/below.py", "shop", "shop/migrations",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, 0, -1, 2**70, 1e308, "", "x", [], {}, [[]], ["../x"], {"digest": "x", "mode": 0}, 0o7777, ID, "A" * 32,
]  # fmt: skip


def mutated(rng: random.Random, document: Any) -> Any:
    """The document with one to three of its values exchanged, left out, doubled or put elsewhere."""
    document = json.loads(json.dumps(document))
    for _ in range(rng.randint(1, 3)):
        spots = list(spots_of(document))
        if not spots:
            break
        holder, key = rng.choice(spots)
        match rng.randrange(6):
            case 0 | 1:
                holder[key] = rng.choice(PLACES)
            case 2 | 3:
                holder[key] = json.loads(json.dumps(rng.choice(VALUES)))
            case 4:
                del holder[key]
            case 5:
                other, spot = rng.choice(spots)
                holder[key] = json.loads(json.dumps(other[spot])) if spot in other or isinstance(spot, int) else 0
    return document


def spots_of(document: Any) -> Iterator[tuple[Any, Any]]:
    keys = range(len(document)) if isinstance(document, list) else document if isinstance(document, dict) else ()
    for key in keys:
        yield document, key
        yield from spots_of(document[key])


def test_forged_records_never_reach_outside_even_when_they_are_trusted(box: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng, root = random.Random(seed), box / "project"
    (root / "link").symlink_to(box / "outside")
    kept = {name: held for name, held in everything(box).items() if ".git" in name or name.startswith("outside")}
    shop = everything(root / "shop")
    good = record_of(
        slot("shop/migrations/0002_new.py"),
        slot("shop/migrations/0001_initial.py", MIGRATION.encode()),
        slot("made/x.py"),
        directories=["made"],
        emptied=["made"],
        unheld=["shop/migrations/0001_initial.py"],
        runs=[["default", "cd" * 16]],
    )
    ends: dict[str, int] = {}
    for _ in range(examples(150, 2_000)):
        record, opened = good, {"commit": ID, "state": rng.choice(["staging", "staged", "decided"]), "aside": []}
        if rng.random() < 0.8:
            record = mutated(rng, record)
        if rng.random() < 0.3:
            opened = mutated(rng, opened)
        forge(root, record)
        (root / ".migsync/open").write_text(json.dumps(opened))
        for work in (
            lambda: recover_files(root, lambda *_: True, timeout=0),
            lambda: foreign_records(root),
            lambda: trust_records(root, timeout=0),
            lambda: recover_files(root, lambda *_: rng.choice([True, False, None]), timeout=0),
            lambda: commits(root),
        ):
            try:
                end = type(work()).__name__  # type: ignore[no-untyped-call]
            except MigsyncError as error:
                end = type(error).__name__
                assert error.exit_status in (1, 6)
            ends[end] = ends.get(end, 0) + 1
        now = everything(box)
        assert {name: now[name] for name in kept} == kept
        assert not [name for name in now if name.startswith("outside") and name not in kept]
        restore(root, shop)
    print(ends)
    assert ends["Settlement"] > 10
    assert ends["Unsettled"] > 100


def restore(root: Path, shop: Held) -> None:
    """The project as it was; files that a forged record may rightly name are inside it."""
    for path in sorted(root.rglob("*"), reverse=True):
        name = path.relative_to(root).as_posix()
        if name.startswith((".git", "link", "pyproject.toml")) or name == "shop" or name.removeprefix("shop/") in shop:
            continue
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    for name, held in shop.items():
        if isinstance(held, bytes):
            (root / "shop" / name).write_bytes(held)


def elsewhere(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """Another machine, or another user: another key."""
    monkeypatch.setenv("XDG_STATE_HOME", str(place))


def test_a_change_of_somebody_else_is_taken_over_by_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "project"
    make_project(root)
    (root / "pyproject.toml").write_text(PYPROJECT)
    cut_off(root)
    elsewhere(monkeypatch, tmp_path / "state")
    before = tree(root)
    where = ["--root", str(root)]
    assert run(["recover", *where]) == 6
    assert "migsync recover --trust" in capsys.readouterr().err
    assert run(["recover", "--trust", *where]) == 1
    assert "shop/migrations/0008_merge.py  removed" in capsys.readouterr().out
    assert tree(root) == before
    assert run(["recover", "--trust", "--noinput", *where]) == 0
    assert not is_open(root)
    (root / "pyproject.toml").unlink()
    assert is_new(tree(root))
    (made,) = commits(root)
    undo_files(project_at(root), made)
    assert {name for name in tree(root) if name.endswith(".py")} == {name for name in BEFORE if name.endswith(".py")}


def test_commits_of_somebody_else_are_kept_and_not_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "project"
    project = make_project(root)
    first = commit(project, make_proposal(root))
    (root / "pyproject.toml").write_text(PYPROJECT)
    elsewhere(monkeypatch, tmp_path / "state")
    assert run(["undo", "--files", "--noinput", "--root", str(root)]) == 1
    assert "migsync recover --trust" in capsys.readouterr().err
    path = root / "core/migrations/__init__.py"
    second = commit(project, Proposal("edit", (FileChange(path, path, b"", b"# one\n", 0o644),), None))
    assert [record.id for record in commits(root)] == [second.id]
    trust_records(root)
    assert [record.id for record in commits(root)] == [second.id, first.id]
    assert foreign_records(root) == ()


def test_a_key_is_only_taken_from_outside_the_repository_and_only_where_it_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "repository/backend"
    root.mkdir(parents=True)
    (tmp_path / "repository/.git").mkdir()
    for inside in (root, tmp_path / "repository/state"):
        assert key_file(root, {"XDG_STATE_HOME": str(inside)}) is None
    elsewhere(monkeypatch, tmp_path / "repository")
    assert "no place for the key" in missing_key(root)
    elsewhere(monkeypatch, tmp_path / "state")
    assert "No such file" in missing_key(root)
    own = user_key(root)
    assert own == user_key(root)
    kept = user_key(root, create=True)
    assert kept == user_key(root) != own
    assert missing_key(root) == ""
    path = tmp_path / "state/migsync/key"
    assert (stat.S_IMODE(path.stat().st_mode), len(path.read_bytes())) == (0o600, 32)
    path.chmod(0o644)
    assert user_key(root, create=True) == own
    assert "only you can read" in missing_key(root)
    path.chmod(0o600)
    path.rename(tmp_path / "key")
    path.symlink_to(tmp_path / "key")
    assert user_key(root, create=True) == own


def test_nothing_is_left_of_a_state_that_was_being_written(tmp_path: Path) -> None:
    """Case 82: `.migsync/open.new` stayed after `recover`."""
    root = tmp_path / "project"
    make_project(root)
    (root / "pyproject.toml").write_text(PYPROJECT)
    cut_off(root)
    (root / ".migsync/open.new").write_bytes(b"half a")
    assert run(["recover", "--root", str(root)]) == 0
    assert sorted(path.name for path in (root / ".migsync").iterdir()) == [".gitignore", "commits", "lock"]
    (root / ".migsync/open.new").write_bytes(b"half a")
    assert run(["recover", "--root", str(root)]) == 0
    assert not (root / ".migsync/open.new").exists()


def test_a_key_on_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    elsewhere(monkeypatch, tmp_path / "state")
    kept = user_key(tmp_path / "project", create=True)
    assert kept == (tmp_path / "state/migsync/key").read_bytes()
    assert kept == user_key(tmp_path / "project", create=True)
    assert [path.name for path in (tmp_path / "state/migsync").iterdir()] == ["key"]
