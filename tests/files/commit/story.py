"""One change of files with everything in it: a chain, a swap, a removal, an edit, a creation; odd bytes and modes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from migsync.engines.config import DatabaseConfig
from migsync.files.commit import DatabaseStep, commit, journals_of, recover_files
from migsync.files.commit.syscalls import Fault, Files
from migsync.files.proposal import FileChange, Proposal
from migsync.project import Project
from migsync.rewrites.record import fingerprints
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.sync.apply import apply_plan
from migsync.sync.plan import Change, Plan
from migsync.sync.target import open_target
from migsync.sync.undo import plan_undo, rows_after
from tests.databases import Database

Tree = dict[str, tuple[bytes, int] | int]

SHOP = "shop/migrations"
BEFORE = {
    f"{SHOP}/__init__.py": (b"", 0o644),
    f"{SHOP}/0001_initial.py": (b"# first\n", 0o644),
    f"{SHOP}/0003_b.py": (b"# -*- coding: latin-1 -*-\r\n# na\xefve\r\ndepends = '0001_initial'\r\n", 0o755),
    f"{SHOP}/0004_c.py": (b"\xef\xbb\xbfdepends = '0003_b'", 0o600),
    f"{SHOP}/0006_x.py": (b"depends = '0007_x'\n", 0o644),
    f"{SHOP}/0007_x.py": (b"depends = '0004_c'\n", 0o664),
    f"{SHOP}/0008_merge.py": (b"depends = '0006_x'\n", 0o644),
    "blog/migrations/__init__.py": (b"", 0o644),
    "blog/migrations/0001_initial.py": (b"depends = 'shop.0008_merge'\n", 0o640),
    "core/migrations/__init__.py": (b"", 0o644),
    "core/migrations/0002_merge.py": (b"# nothing\n", 0o644),
}
# old name -> new name, and the text to be replaced in it; the bytes around it stay.
MOVES = {
    f"{SHOP}/0003_b.py": (f"{SHOP}/0002_b.py", b"0001", b"0001"),
    f"{SHOP}/0004_c.py": (f"{SHOP}/0003_b.py", b"0003_b", b"0002_b"),
    f"{SHOP}/0006_x.py": (f"{SHOP}/0007_x.py", b"0007_x", b"0006_x"),
    f"{SHOP}/0007_x.py": (f"{SHOP}/0006_x.py", b"0004_c", b"0003_b"),
    "blog/migrations/0001_initial.py": ("blog/migrations/0001_initial.py", b"0008_merge", b"0007_x"),
}
REMOVED = [f"{SHOP}/0008_merge.py", "core/migrations/0002_merge.py"]
CREATED = {"blog/migrations/max_migration.txt": (b"0001_initial\n", 0o600)}
REWRITE = Rewrite(
    parents=(),
    command="linearize",
    created="2026-02-01T10:00:00Z",
    apps={
        "shop": AppRewrite(
            before=("0001_initial", "0003_b", "0004_c", "0006_x", "0007_x", "0008_merge"),
            after=("0001_initial", "0002_b", "0003_b", "0006_x", "0007_x"),
            removed=("0008_merge",),
            renamed=(("0003_b", "0002_b"), ("0004_c", "0003_b"), ("0006_x", "0007_x"), ("0007_x", "0006_x")),
        )
    },
)
ROWS = [
    (1, "shop", "0001_initial", "2026-01-01 10:00:00"),
    (2, "shop", "0003_b", "2026-01-02 10:00:00.5"),
    (3, "shop", "0004_c", "2026-01-02 11:00:00.123456"),
    (4, "shop", "0007_x", "2026-01-03 11:00:00"),
    (5, "shop", "0006_x", "2026-01-03 11:00:00"),
    (6, "shop", "0008_merge", "2026-01-03 12:00:00.000001"),
]
NEW_NAMES = {2: "0002_b", 3: "0003_b", 4: "0006_x", 5: "0007_x"}

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.files.commit.story"])


def make_project(root: Path, databases: Sequence[Database] = ()) -> Project:
    """The story's files at `root`, and a project that has these databases as ``db0``, ``db1``…"""
    for name, (content, mode) in BEFORE.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
    return project_at(root, [database.url for database in databases])


def project_at(root: Path, urls: Sequence[str] = ()) -> Project:
    configs = {f"db{number}": DatabaseConfig(f"db{number}", url) for number, url in enumerate(urls)}
    return Project(root, root / "migration_rewrites", (), configs, root / "cache")


def make_proposal(root: Path) -> Proposal:
    changes = [change(root, old, new, old_text, new_text) for old, (new, old_text, new_text) in MOVES.items()]
    changes += [FileChange(root / name, None, *(BEFORE[name][0], None), BEFORE[name][1]) for name in REMOVED]
    changes += [FileChange(None, root / name, None, content, mode) for name, (content, mode) in CREATED.items()]
    return Proposal("linearize", tuple(changes), REWRITE)


def change(root: Path, old: str, new: str, old_text: bytes, new_text: bytes) -> FileChange:
    content, mode = BEFORE[old]
    return FileChange(root / old, root / new, content, content.replace(old_text, new_text), mode)


def tree(root: Path) -> Tree:
    """Everything below `root` that is the project's: bytes and modes of files, modes of directories."""
    found: Tree = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] in (".migsync", ".git") or "__pycache__" in name or ".sqlite3" in path.name:
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        found[name] = mode if path.is_dir() else (path.read_bytes(), mode)
    return found


def files_of(found: Tree) -> dict[str, tuple[bytes, int]]:
    return {name: held for name, held in found.items() if not isinstance(held, int)}


def after_files() -> dict[str, tuple[bytes, int]]:
    """The migration files as they are to be, the rewrite left out; worked out from the story alone."""
    found = {name: held for name, held in BEFORE.items() if name not in MOVES and name not in REMOVED}
    for old, (new, old_text, new_text) in MOVES.items():
        found[new] = (BEFORE[old][0].replace(old_text, new_text), BEFORE[old][1])
    return {**found, **CREATED}


def is_new(found: Tree) -> bool:
    """Whether it is exactly the new tree; fails when it is neither that nor exactly the old one."""
    files = files_of(found)
    rewrites = [name for name in files if name.startswith("migration_rewrites/")]
    if not rewrites:
        assert files == BEFORE
        assert "migration_rewrites" not in found
        return False
    assert rewrites == ["migration_rewrites/20260201T100000_linearize_shop.toml"]
    assert {name: held for name, held in files.items() if name not in rewrites} == after_files()
    return True


def fill(database: Database) -> Database:
    database.create_table()
    database.insert(ROWS)
    return database


def is_new_in(database: Database) -> bool:
    """Whether the rows are exactly the new ones; fails when they are neither those nor the old ones."""
    given = dict(zip((row[0] for row in ROWS), (row[3] for row in ROWS), strict=True))
    rows = []
    for id_, app, name, applied in database.dump():
        # A server writes the time in its own way; SQLite keeps the text as it was given.
        rows.append((int(id_), app, name, applied if database.engine == "sqlite" else given[int(id_)]))
    if rows == ROWS:
        return False
    assert rows == [
        (id_, app, NEW_NAMES.get(id_, name), applied) for id_, app, name, applied in ROWS if name != "0008_merge"
    ]
    return True


def step_of(alias: str, url: str, run_id: str, faults: Any = None) -> DatabaseStep:
    """The story's plan for one database."""

    def apply(run: str) -> Any:
        with open_target(DatabaseConfig(alias, url)) as target:
            records = target.read() or ()
            changes = [
                Change(record, record._replace(name=NEW_NAMES[record.id]), "test")
                if record.id in NEW_NAMES
                else Change(record, None, "test")
                for record in records
                if record.id in NEW_NAMES or record.name == "0008_merge"
            ]
            after = rows_after(records, tuple(changes))
            before = fingerprints(records, ["shop"])
            plan = Plan(target.ref, tuple(changes), before, fingerprints(after, ["shop"]), passed=(REWRITE,))
            return apply_plan(target, plan, run_id=run, faults=faults)

    return DatabaseStep(alias, run_id, apply)


def undo_step_of(alias: str, url: str, run_id: str, undoes: str, faults: Any = None) -> DatabaseStep:
    """The undo of that run."""

    def apply(run: str) -> Any:
        with open_target(DatabaseConfig(alias, url)) as target:
            runs = target.runs()
            (undone,) = [each for each in runs if each.id == undoes]
            plan = plan_undo(target.ref, undone, target.read() or (), runs)
            return apply_plan(target, plan, run_id=run, faults=faults)

    return DatabaseStep(alias, run_id, apply)


class Killer:
    """Kills the process as by ``kill -9`` at the call of this number; a file that is being written stays cut off."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, call: str, path: Path) -> None:
        if self.left == 0:
            if call == "write":
                path.write_bytes(b"half a")
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1

    def at_step(self, name: str, _connection: object) -> None:
        """The same for the steps of a database."""
        self(name, Path())


def commit_in_process(root: Path, urls: Sequence[str], kill_at: int) -> None:
    killer = Killer(kill_at)
    commit(
        project_at(root, urls),
        make_proposal(root),
        databases=[step_of(f"db{n}", url, f"{n}" * 32, killer.at_step) for n, url in enumerate(urls)],
        files=Files(killer),
        force=True,
    )


def recover_in_process(root: Path, urls: Sequence[str], kill_at: int) -> None:
    recover_files(root, journals_of(project_at(root, urls)), files=Files(Killer(kill_at)))


def killed(work: Callable[..., None], *arguments: object) -> bool:
    """Run it in a process of its own. False when it came to its end, True when it was killed; else it failed."""
    child = processes.Process(target=work, args=arguments)
    child.start()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def calls_of(work: Callable[[Files], object]) -> list[tuple[str, Path]]:
    """The calls on the file system that this makes."""
    calls: list[tuple[str, Path]] = []
    work(Files(lambda call, path: calls.append((call, path))))
    return calls


def failing_at(number: int, code: int) -> Fault:
    """An OSError at the call of this number, and only there."""
    left = [number]

    def fault(_call: str, path: Path) -> None:
        left[0] -= 1
        if left[0] == -1:
            raise OSError(code, os.strerror(code), str(path))

    return fault


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)
