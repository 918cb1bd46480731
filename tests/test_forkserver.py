"""A process of the fork server is what a fresh one is: what it says, how it ends, what signals do to it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from migsync.cli.program import program
from tests import forkserver
from tests.cli.shop import MAPPED, Shop
from tests.profiles import THOROUGH

BARE = ("0001_initial", "0003_price", "0003_size", "0004_merge")
MERGE = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_price"), ("shop", "0003_size")]
    operations = []
"""
COMMANDS = {
    "apply": ["--noinput"],
    "demo": ["--dir", "."],  # refused; tests/cli/test_demo.py has all of it
    "explain": ["blocked"],
    "fix-conflicts": ["--dry-run"],
    "graph": [],
    "init": ["--noinput"],
    "check": [],
    "doctor": [],
    "linearize": ["--dry-run"],
    "log": [],
    "plan": [],
    "rebase": ["HEAD", "--dry-run"],
    "recover": [],
    "remake": ["shop", "--dry-run"],
    "rename-app": ["shop", "store", "--dry-run"],
    "renumber": ["--dry-run"],
    "rewrite": MAPPED,
    "script": [],
    "show": ["1"],
    "squash": ["shop", "0001", "0002", "--dry-run"],
    "status": [],
    "tidy": ["--dry-run"],
    "undo": ["--noinput"],
    "verify": [],
    "repair": ["--dry-run"],
}
OF_EACH_KIND = ("apply", "check", "demo", "doctor", "graph", "plan", "remake", "squash", "undo")
"""One of those that begin alike: without a project, with git, databases, workers, a proof, changed rows or files."""
VARYING = re.compile(r"\b[0-9a-f]{7,64}\b|\d{4}-\d\d-\d\d.\d\d:\d\d(:\d\d)?(\.\d+)?|\d{8}T\d{6}|/tmp/\S+|\b\d+ ms\b")


@pytest.fixture
def forked(monkeypatch):
    """The fork server, in every profile."""
    monkeypatch.setattr(subprocess, "Popen", forkserver.Process)


def test_every_command_is_compared():
    assert sorted(COMMANDS) == sorted(program.commands)


@pytest.mark.parametrize("command", COMMANDS if THOROUGH else OF_EACH_KIND)
def test_a_command_says_and_does_the_same(tmp_path, command, forked):
    shop = Shop(tmp_path / "shop")
    shop.root.mkdir()
    shop.write("default").record("default")
    if command in ("apply", "undo", "log", "show", "plan", "script", "status"):
        shop.rewrite()
    if command in ("undo", "log", "show"):
        assert shop.run("apply", "--noinput").status == 0
    shutil.copytree(shop.root, tmp_path / "before")
    found = []
    for start in (forkserver.fresh, forkserver.forked):
        with start():
            ended = shop.run(command, *COMMANDS[command])
        rows, files = shop.rows("default"), sorted(path.name for path in shop.root.rglob("*.py"))
        found.append((ended.status, *(VARYING.sub("…", text) for text in (ended.out, ended.err)), rows, files))
        shutil.rmtree(shop.root)
        shutil.copytree(tmp_path / "before", shop.root)
    assert found[0] == found[1]


ENDS = {
    "status": "raise SystemExit(7)",
    "no status": "raise SystemExit",
    "text": "raise SystemExit('a text')",
    "exception": "raise ValueError('a value')",
    "syntax": "1 +",
    "signal": "import os; os.kill(os.getpid(), 9)",
    "Ctrl-C": "import os, signal; os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(60)",
    "at the end": "import atexit, threading; atexit.register(print, 0); threading.Thread(target=print).start()",
    "at once": "import os; print('lost'); os._exit(3)",
    "streams": "import sys; print(sys.stdin.read(), sys.stdin.encoding, sys.stdout.errors); sys.stderr.write('half')",
    "surroundings": "import os, sys, time; print(os.getcwd(), sys.argv, sys.path, time.tzname, __name__)",
    "processes": "import subprocess, sys; print(subprocess.run([sys.executable, '-c', 'exit(4)']).returncode)",
    "bytecode": "import sys; print(sys.dont_write_bytecode)",
}


def run(*arguments, start, **more):
    with start():
        return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, **more)


@pytest.mark.parametrize("code", ENDS.values(), ids=ENDS)
def test_it_ends_the_same(tmp_path, code, forked):
    environment = {**os.environ, "TZ": "Asia/Kathmandu", "PYTHONDONTWRITEBYTECODE": "1"}
    more = {"cwd": tmp_path, "env": environment, "input": "é"}
    found = [run("-c", code, "x", "-y", start=start, **more) for start in (forkserver.fresh, forkserver.forked)]
    assert found[0].returncode == found[1].returncode
    assert found[0].stdout == found[1].stdout
    # The frames of a traceback differ by those of the server.
    last, other = (each.stderr.strip().rpartition("\n")[2] for each in found)
    assert last == other


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1:replace"])
def test_the_encoding_of_its_streams(tmp_path, encoding, forked):
    code = "import sys; print([(each.encoding, each.errors) for each in (sys.stdin, sys.stdout, sys.stderr)])"
    more = {"cwd": tmp_path, "env": {**os.environ, "PYTHONIOENCODING": encoding}}
    found = [run("-c", code, start=start, **more) for start in (forkserver.fresh, forkserver.forked)]
    assert vars(found[0]) == vars(found[1])


@pytest.mark.parametrize(
    "arguments",
    [
        ["script.py", "x"],
        ["-m", "package", "x"],
        ["-m", "package.inner"],
        ["-m", "none"],
        ["-P", "-c", "import sys; print(sys.argv, sys.path)", "x"],
    ],
)
def test_scripts_and_modules(tmp_path, arguments, forked):
    (tmp_path / "package").mkdir()
    for name in ("script.py", "package/__main__.py", "package/inner.py", "package/__init__.py"):
        (tmp_path / name).write_text("import sys\nprint(sys.argv, sys.path[0], __name__, __package__, __file__)\n")
    found = [run(*arguments, start=start, cwd=tmp_path) for start in (forkserver.fresh, forkserver.forked)]
    assert vars(found[0]) == vars(found[1])


def test_signals_reach_it_and_it_can_be_waited_for(forked):
    code = "import time; print('begun', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"begun\n"
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        assert process.connection
        process.send_signal(signal.SIGTERM)
        assert process.wait() == -signal.SIGTERM


@pytest.mark.parametrize(
    ("command", "environment"),
    [
        (["-W", "error", "-c", ""], {}),
        (["-c", ""], {"PYTHONWARNINGS": "ignore"}),
        (["-c", ""], {"LC_ALL": "tlh"}),
    ],
)
def test_what_concerns_the_start_of_python_is_a_fresh_process(command, environment, forked):
    with subprocess.Popen([sys.executable, *command], env={**os.environ, **environment}) as process:
        assert process.connection is None
