"""Ctrl-C in the middle of a proof: no process and no scratch database is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.companion.proof.projects import Site, migration
from tests.companion.proof.test_schema import databases
from tests.databases import django_databases

# Each worker says its number and then waits for ever.
MODELS = """\
import os
import signal

with open({fifo!r}, "w") as ready:
    ready.write(f"{{os.getpid()}}\\n")
signal.pause()
"""
COMMANDS = {
    "proof": "from migsync.companion.proof.proof import prove\nprove(project, proposal)",
    "schema": "from migsync.companion.proof.databases import prove_schema\nprove_schema(project, proposal)",
}
PROGRAM = """\
from pathlib import Path
from migsync.companion.proposal import Proposal
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
    workers: list[int] = []
    while len(workers) < 2:
        with open(fifo) as ready:  # noqa: PTH123
            workers += map(int, ready.read().split())
    # Only to the process itself: a terminal would tell the workers too.
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert said.strip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
    assert databases(postgresql_database) == before
