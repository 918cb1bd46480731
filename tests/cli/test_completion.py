"""What the shell completes: names of the project, from files alone, and never an error."""

from __future__ import annotations

import json
import os
import pty
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from migsync.cli.bash_words import WholeWords
from migsync.cli.completion import INSTRUCTION
from migsync.cli.output import Output
from migsync.cli.program import program, run
from migsync.filesystem.names_file import RUNS, Names, names_file
from tests.cli.shop import NEW

PROGRAM = Path(sys.executable).parent / "migsync"
HEAVY = ("django", "sqlalchemy", "rich", "alembic", "migsync.project", "migsync.sync", "migsync.engines")


def ask(directory, *words, shell="bash", interpreter=()):
    """What the executable answers to the function of a shell; the last word is the incomplete one."""
    env = {**os.environ, "_MIGSYNC_COMPLETE": f"{shell}_complete", "COMP_WORDS": shlex.join(["migsync", *words])}
    env["COMP_CWORD"] = words[-1] if shell == "fish" else str(len(words))
    command = [*interpreter, PROGRAM]
    return subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, check=False)


def completed(directory, *words):
    """The same in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.setenv("COMP_WORDS", shlex.join(["migsync", *words]))
        patch.setenv("COMP_CWORD", str(len(words)))
        answer = WholeWords(program, {"obj": Output()}, "migsync", INSTRUCTION).complete()
    return [each.removeprefix("plain,") for each in answer.splitlines()]


@pytest.fixture
def seen(two, monkeypatch):
    """The project after a first command."""
    monkeypatch.chdir(two.root)
    assert run(["apply", "--noinput"]) == 0
    return two


def test_names_of_the_project(seen):
    rewrite = next((seen.root / "migration_rewrites").iterdir()).name
    assert completed(seen.root, "plan", "-d", "") == ["default", "second"]
    assert completed(seen.root, "plan", "--database=se") == ["second"]
    assert completed(seen.root, "remake", "") == ["shop"]
    assert completed(seen.root, "plan", "--record", "shop.0002") == ["shop.0002_price"]
    assert completed(seen.root, "squash", "") == ["shop"]
    assert completed(seen.root, "squash", "shop", "0001_initial", "") == list(NEW)
    assert completed(seen.root, "plan", "--position", "shop=2") == [rewrite]
    assert completed(seen.root / "shop", "renumber", "s") == ["shop"]


def test_a_migration_is_completed_as_soon_as_its_file_is_there(seen):
    (seen.root / "shop/migrations/0004_weight.py").touch()
    assert "shop.0004_weight" in completed(seen.root, "show", "shop.0004")
    assert completed(seen.root, "plan", "--map", "shop.0003_sku=0004") == ["0004_weight"]


def test_runs_the_newest_first(seen, capsys):
    assert run(["undo", "-d", "second", "--noinput"]) == 0
    capsys.readouterr()
    assert run(["log", "--format", "json"]) == 0
    logs = json.loads(capsys.readouterr().out)
    runs = sorted((one["at"], one["id"][:12]) for database in logs["databases"] for one in database["runs"])
    found = completed(seen.root, "undo", "")
    assert found[0] == runs[-1][1]
    assert sorted(found) == sorted(id_ for _, id_ in runs)
    said = ask(seen.root, "undo", found[0], shell="zsh").stdout.splitlines()
    assert said[:2] == ["plain", found[0]]
    assert said[2].startswith("undo second ")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells(seen, shell):
    answer = ask(seen.root, "plan", "-d", "sec", shell=shell)
    assert answer.stdout.replace("\n", ",").split(",")[:2] == ["plain", "second"]


def test_bash_completes_on_the_command_line(seen):
    """A real bash, at a terminal, with the function that the help tells to install."""
    path = names_file(seen.root)
    Names.read(path).seen(["tenants:acme", "tenants:beta"], {}).write(path)
    typed = {
        "plan -d s\t": ["plan", "-d", "second"],
        "plan -d tenants:a\t": ["plan", "-d", "tenants:acme"],
        "plan --database=def\t": ["plan", "--database=default"],
        "plan --record shop.0002\t": ["plan", "--record", "shop.0002_price"],
        "plan --map shop.0002_b=0002\t": ["plan", "--map", "shop.0002_b=0002_price"],
        "rena\tshop": ["rename-app", "shop"],
        "squash sh\t0001\t0003\t": ["squash", "shop", "0001_initial", "0003_sku"],
    }
    script = "\n".join(
        [
            "PS1=; bind 'set bell-style none'; unset PROMPT_COMMAND",
            f'eval "$(_MIGSYNC_COMPLETE=bash_source {PROGRAM})"',
            "migsync() { printf '<%s>' \"$@\" >> typed; echo >> typed; }",
            *(f"migsync {line}" for line in typed),
            "exit",
            "",
        ]
    )
    bash = shutil.which("bash")
    env = {**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "TERM": "dumb", "HISTFILE": "/dev/null"}
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [bash, "--norc", "--noprofile", "-i"], stdin=terminal, stdout=terminal, stderr=terminal, cwd=seen.root, env=env
    ) as shell:
        os.close(terminal)
        os.write(controller, script.encode())
        try:
            while os.read(controller, 4096):
                pass
        except OSError:  # the other end is closed
            pass
        assert shell.wait() == 0
    os.close(controller)
    found = (seen.root / "typed").read_text().splitlines()
    assert found == ["".join(f"<{word}>" for word in words) for words in typed.values()]


def test_nothing_heavy_is_imported(seen):
    answer = ask(seen.root, "plan", "--map", "shop.", interpreter=(sys.executable, "-X", "importtime"))
    loaded = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}
    assert "plain,shop.0001_initial" in answer.stdout
    assert not [name for name in loaded if name.startswith(HEAVY)]


def test_a_name_that_the_shell_would_run_is_not_completed(seen):
    for name in ("0004_$(touch x).py", "0005_`id`.py", "0006_a;b.py", "0007_a b.py", "0008_\x1b[2J.py", "0009_a\nb.py"):
        (seen.root / "shop/migrations" / name).touch()
    assert completed(seen.root, "squash", "shop", "") == list(NEW)


def test_the_database_of_a_url_is_not_remembered(seen):
    assert run(["log", "--url", f"sqlite:///{seen.root}/default.sqlite3"]) == 0
    assert completed(seen.root, "plan", "-d", "") == ["default", "second"]
    assert completed(seen.root, "plan", "--url", "sqlite:///x", "-d", "") == []


@pytest.mark.parametrize("content", ["", "[]", '{"databases": 1}', '{"databases": [], "apps": [], "rewrites": 1}'])
def test_a_damaged_file_of_names_counts_as_none(seen, content):
    names_file(seen.root).write_text(content)
    assert completed(seen.root, "plan", "-d", "") == []


def test_where_no_command_has_run_only_commands_and_options_are_known(tmp_path):
    assert completed(tmp_path, "plan", "-d", "") == []
    assert completed(tmp_path, "plan", "--che") == ["--check"]


def test_in_a_directory_that_is_gone(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"cd {gone}; rmdir {gone}; COMP_WORDS='migsync plan -d' COMP_CWORD=3 {PROGRAM}"
    env = {**os.environ, "_MIGSYNC_COMPLETE": "bash_complete"}
    ended = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.strip(), ended.stderr) == (0, "", "")


def test_the_last_runs_are_kept():
    names = Names().seen([], {f"{number:012}": "" for number in range(RUNS)}).seen([], {"new": "", "0" * 12: "again"})
    assert len(names.runs) == RUNS
    assert [*names.runs][-2:] == ["new", "0" * 12]
    assert "000000000001" not in names.runs


def test_members_of_an_entry_go_with_it():
    names = Names(("default", "tenants")).seen(["tenants:acme"], {})
    assert names.replace(["default", "tenants"], {}, "").databases == ("default", "tenants", "tenants:acme")
    assert names.replace(["default"], {}, "").databases == ("default",)
