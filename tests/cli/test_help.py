"""The help: complete, exemplified, quick, and the same in the documentation."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from migsync.cli.command_reference import PATH, reference
from migsync.cli.program import program

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(program.commands)
HEAVY = {"sqlalchemy", "django", "rich", "alembic"}


def run_python(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def help_of(name, width):
    settings = {**program.context_settings, "terminal_width": width}
    context = program.context_class(program, info_name="migsync", **settings)
    if name:
        command = program.commands[name]
        context = command.context_class(command, info_name=name, parent=context)
    return context.get_help()


def examples_of(name):
    lines = program.commands[name].examples.splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.startswith("migsync ")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_shown_as_it_was_written(name):
    assert examples_of(name), f"migsync {name} has no example"
    shown = help_of(name, 200)
    for line in program.commands[name].examples.splitlines():
        assert f"  {line}\n" in f"{shown}\n"


@pytest.mark.parametrize("width", [58, 70, 78, 98])
@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_a_terminal_and_breaks_no_word(name, width):
    lines = help_of(name, width).splitlines()
    assert [line for line in lines if len(line) > width] == []
    words = set(help_of(name, 500).split()) - {"#"}
    assert words - set(" ".join(lines).split()) == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_are_the_same_commands_on_a_narrow_terminal(name):
    shown = help_of(name, 58).partition("Examples:\n")[2].replace("\\\n", "")
    typed = [shlex.split(line, comments=True) for line in shown.splitlines()]
    assert [words for words in typed if words] == [shlex.split(example) for example in examples_of(name)]


@pytest.mark.fresh
@pytest.mark.parametrize(("columns", "widest"), [("60", 60), ("80", 80), ("300", 100)])
def test_help_is_as_wide_as_the_terminal_and_no_wider_than_a_page(columns, widest):
    ended = subprocess.run(
        [sys.executable, "-m", "migsync", "plan", "--help"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": columns},
    )
    assert widest - 10 < max(map(len, ended.stdout.splitlines())) <= widest


@pytest.mark.parametrize("example", [example for name in COMMANDS for example in examples_of(name)])
def test_every_example_is_a_command_line_that_is_understood(example):
    _, name, *arguments = shlex.split(example)
    command = program.commands[name]
    parent = click.Context(program, info_name="migsync", **program.context_settings)
    context = command.make_context(name, arguments, parent=parent)
    assert context.command is command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help_and_every_command_a_line_about_it(name):
    command = program.commands[name]
    assert command.help
    assert command.get_short_help_str()
    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []


def test_commands_are_listed_in_the_order_of_use():
    listed = CliRunner().invoke(program, ["--help"]).output
    places = [listed.index(f"\n  {name} ") for name in ("plan", "apply", "undo", "status", "log", "show", "script")]
    assert places == sorted(places)


@pytest.mark.fresh
@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["plan", "--help"], ["demo", "--help"], ["bogus"]])
def test_help_and_version_import_nothing_heavy(arguments):
    program_text = (
        "import sys\nfrom migsync.cli.program import run\n"
        f"run({arguments!r})\n"
        "sys.stderr.write(' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = set(run_python("-c", program_text).stderr.split())
    assert "click" in loaded
    assert loaded & HEAVY == set()


def test_version():
    ended = run_python("-m", "migsync", "--version")
    assert (ended.returncode, ended.stdout.split()[0]) == (0, "migsync")


def test_without_arguments_the_help_is_shown():
    assert run_python("-m", "migsync").stdout == run_python("-m", "migsync", "--help").stdout != ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell, monkeypatch):
    monkeypatch.setenv("_MIGSYNC_COMPLETE", f"{shell}_source")
    ended = run_python("-m", "migsync")
    assert ended.returncode == 0, ended.stderr
    assert "_MIGSYNC_COMPLETE=" in ended.stdout
    assert f"_MIGSYNC_COMPLETE={shell}_source migsync" in program.epilog


def test_completion_completes_commands_and_options(monkeypatch):
    monkeypatch.setenv("_MIGSYNC_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "migsync pl")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert run_python("-m", "migsync").stdout == "plain,plan\n"
    monkeypatch.setenv("COMP_WORDS", "migsync plan --che")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert run_python("-m", "migsync").stdout == "plain,--check\n"


def test_the_documentation_holds_the_help_of_today():
    written = (ROOT / PATH).read_text(encoding="utf-8")
    assert written == reference(), "run: python -m migsync.cli.command_reference"
