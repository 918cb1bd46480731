"""Ctrl-C or SIGTERM in the middle of a proof: no process, no scratch database and no directory is left behind."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import django_databases
from tests.proof.projects import Site, migration
from tests.proof.test_schema import databases

pytestmark = pytest.mark.fresh

# Each worker says its number and then waits for ever.
MODELS = """\
import os
import signal

with open({fifo!r}, "w") as ready:
    ready.write(f"{{os.getpid()}}\\n")
signal.pause()
"""
WAIT = """\
    import os
    import signal

    def wait(apps, editor):
        with open({fifo!r}, "w") as ready:
            ready.write(f"{{os.getpid()}}\\n")
        signal.pause()
    """
COMMANDS = {
    "proof": "from migsync.proof.proof import prove\nprove(project, proposal)",
    "schema": "from migsync.proof.databases import prove_schema\nprove_schema(project, proposal)",
}
PROGRAM = """\
from pathlib import Path
from migsync.files.proposal import Proposal
from migsync.project import find_project
project, proposal = find_project(root=Path({root!r})), Proposal("linearize", (), None)
{command}
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_left_behind(tmp_path, command, postgresql_database):
    fifo = str(tmp_path / "ready")
    os.mkfifo(fifo)
    site = Site(tmp_path / "site").settings("shop").app("shop", MODELS.format(fifo=fifo), {"0001_initial": migration()})
    with (site.root / "config.py").open("a") as settings:
        settings.write(django_databases({"default": postgresql_database}))
    before = databases(postgresql_database)
    program = PROGRAM.format(root=str(site.root), command=COMMANDS[command])
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    workers = started(fifo)
    # Only to the process itself: a terminal would tell the workers too.
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert said.strip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT
    assert_ended(workers)
    assert databases(postgresql_database) == before


def test_a_command_ends_by_sigterm_as_by_ctrl_c(tmp_path, postgresql_database):
    fifo, temporary = str(tmp_path / "ready"), tmp_path / "temporary"
    os.mkfifo(fifo)
    temporary.mkdir()
    wait = migration("migrations.RunPython(wait)", after=[("shop", "0001_initial")], head=WAIT.format(fifo=fifo))
    site = Site(tmp_path / "site").settings("shop")
    site.app("shop", "", {"0001_initial": migration(), "0002_wait": wait})
    with (site.root / "config.py").open("a") as settings:
        settings.write(django_databases({"default": postgresql_database}))
    before = databases(postgresql_database)
    process = subprocess.Popen(
        [sys.executable, "-m", "migsync", "squash", "shop", "0001", "0002", "--dry-run"],
        cwd=site.root,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    workers = started(fifo)
    for _ in range(2):  # as timeout does
        process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert "Interrupted. Nothing was changed." in said
    assert process.returncode == 128 + signal.SIGTERM
    assert_ended(workers)
    assert databases(postgresql_database) == before
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_ctrl_c_twice_at_a_terminal_while_progress_is_shown(tmp_path, engine, new_database):
    fifo, temporary = str(tmp_path / "ready"), tmp_path / "temporary"
    os.mkfifo(fifo)
    temporary.mkdir()
    wait = migration("migrations.RunPython(wait)", after=[("shop", "0001_initial")], head=WAIT.format(fifo=fifo))
    site = Site(tmp_path / "site").settings("shop")
    site.app("shop", "", {"0001_initial": migration(), "0002_wait": wait})
    database = new_database(engine)
    with (site.root / "config.py").open("a") as settings:
        settings.write(django_databases({"default": database}))
    before = databases(database) if engine == "postgresql" else []
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "migsync", "squash", "shop", "0001", "0002", "--dry-run", "--no-prove-transition"],
        cwd=site.root,
        env={**os.environ, "TMPDIR": str(temporary), "TERM": "xterm", "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    workers = started(fifo)
    shown = read_until(terminal, b"new files: migrating")
    assert b"1/2" in read_until(terminal, b"1/2", shown)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
    shown = read_until(terminal, b"Nothing was changed.")
    assert process.wait(timeout=120) == 1
    # What was drawn is erased, and nothing is drawn any more.
    assert b"migrating" not in shown.rpartition(b"\x1b[J")[2]
    os.close(terminal)
    assert_ended(workers)
    assert before == (databases(database) if engine == "postgresql" else [])
    assert list(temporary.iterdir()) == []


def read_until(terminal: int, text: bytes, shown: bytes = b"") -> bytes:
    """What the terminal shows until the text is among it."""
    while text not in shown:
        assert select.select([terminal], [], [], 120)[0], shown
        shown += os.read(terminal, 65536)
    return shown


def started(fifo: str) -> list[int]:
    """The two workers, once both have written their process id."""
    # Open for reading and writing, a FIFO does not wait for a writer, who may have died.
    with Path(fifo).open("rb+", buffering=0) as ready:
        said = b""
        while said.count(b"\n") < 2:
            readable, _, _ = select.select([ready], [], [], 120)
            assert readable, "the workers did not start"
            said += ready.read(1024)
    return [int(pid) for pid in said.split()]


def assert_ended(workers: list[int]) -> None:
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
