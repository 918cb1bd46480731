"""Every command that a message tells to type is typed, in the state in which the message was printed.

The test that an example of the documentation comes from runs migsync on a project. When migsync ends, tests/recorder.py
copies the project with its SQLite databases. After the test, each command of the example's hint runs in a copy of that.
It must be a command line that migsync understands, and must not be refused for the same reason again.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from migsync.cli.program import program
from tests.recorder import ROOT, STATES, VARIABLE

COMMAND = re.compile(r"(?:^|: |`)(migsync [a-z-]+[^\n`]*)", re.MULTILINE)
"""A command stands on a line of its own, behind a colon, or in backquotes."""
PLACEHOLDER = re.compile(r"(?<!\w)[A-Z]{2,}(?![.\w])|…")
"""NEW, FILE, SECONDS: what a person has to fill in."""
AFTER_ANOTHER_TOOL = re.compile(r"^First: (?!migsync).*\nThen: .*$", re.MULTILINE)
"""`git merge` makes another state, of which the second command speaks."""
WRONG_USAGE = 64
Hint = Mapping[str, Any]


def commands(hint: str) -> list[str]:
    """The commands of a hint that can be typed as they are, and in this state."""
    hint = AFTER_ANOTHER_TOOL.sub("", hint)
    found = [match[1].rstrip(" .,;)") for match in COMMAND.finditer(hint)]
    return [command for command in found if not PLACEHOLDER.search(command)]


def refusals(states: Path, root: Path, codes: Collection[str]) -> Iterator[str]:
    """What is wrong with the commands that these codes' hints had in these states; `root` is what was copied."""
    tried = set()
    for path in sorted(states.glob("*/state.json")):
        state = json.loads(path.read_text())
        for hint in state["hints"]:
            for command in commands(hint["hint"]) if hint["code"] in codes else ():
                if (path, command) not in tried:
                    tried.add((path, command))
                    yield from _refusal(path.parent, root, state, hint, command)


def _refusal(place: Path, root: Path, state: Mapping[str, Any], hint: Hint, command: str) -> Iterator[str]:
    copy = place / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(place / "files", copy, symlinks=True)
    for path in copy.rglob("*"):
        if path.suffix in (".py", ".toml") and path.is_file():
            text = path.read_bytes()
            if os.fsencode(root) in text:
                path.write_bytes(text.replace(os.fsencode(root), os.fsencode(copy)))
    made = place / "made"
    made.unlink(missing_ok=True)
    environment = {name: value.replace(str(root), str(copy)) for name, value in state["environment"].items()}
    environment = {name: value for name, value in environment.items() if name not in (STATES, ROOT)}
    ended = subprocess.run(
        [sys.executable, "-m", *shlex.split(command), *_yes(command)],
        cwd=copy / state["cwd"],
        env=environment | {VARIABLE: str(made)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    again = [json.loads(line) for line in made.read_text().splitlines()] if made.exists() else []
    same = any(_place(each) == _place(hint) for each in again)
    if ended.returncode == WRONG_USAGE or (ended.returncode and same):
        yield f"{hint['code']}: {command}\n{ended.stdout}{ended.stderr}"


def _yes(command: str) -> list[str]:
    """What a person answers whom the command asks."""
    found = program.get_command(click.Context(program), command.split()[1])
    asks = found is not None and any("--noinput" in option.opts for option in found.params)
    return ["--noinput"] if asks and "--dry-run" not in command else []


def _place(document: Hint) -> tuple[object, ...]:
    return tuple(document.get(name) for name in ("code", "app", "name", "found"))
