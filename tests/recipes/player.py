"""Plays the recipes of a page: a story whose commands are those of the page, as a shell would run them."""

from __future__ import annotations

import os
import re
import shlex
import sys
from dataclasses import dataclass, field, replace
from itertools import takewhile
from unittest.mock import patch

from tests.cli.shop import Ended
from tests.pitfalls.project import Project
from tests.pitfalls.story import Player, Step, ToldOtherwise, check_said, same
from tests.recipes.page import FOR_A_SHELL

ASKS = "[needs-consent]"
VARIABLE = re.compile(r"[A-Z_]+=")
NOTHING = ("pip", "pipx", "apt-get")
"""Programs that install something."""


@dataclass
class PagePlayer(Player):
    """Knows the steps `file PATH`, with its lines, and `environment NAME=VALUE …`: variables of later commands."""

    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def in_project(cls, project: Project) -> PagePlayer:
        """With the programs that a page names on the path of its shells."""
        programs = project.root.parent / "bin"
        programs.mkdir()
        python = shlex.quote(sys.executable)
        scripts = {"migsync": f'exec {python} -m migsync "$@"', "python": f'exec {python} "$@"'}
        for name, script in (scripts | dict.fromkeys(NOTHING, ":")).items():
            (programs / name).write_text(f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(0o755)
        return cls(project)

    def _do_file(self, step: Step) -> None:
        path = self.project.root / step.words
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*step.body, ""]))

    def _do_environment(self, step: Step) -> None:
        self.environment = _split(step.words)[0]

    def _command(self, step: Step) -> None:
        variables, words = _split(step.words)
        if words[0] in NOTHING:
            return
        # Project.environment starts from that of this process.
        with patch.dict(os.environ, self.environment | variables):
            if words[:2] != ["python", "-c"] and FOR_A_SHELL.search(step.words):
                ended = self._shell(step.words)
            elif words[0] in ("migsync", "manage.py"):
                self._own(replace(step, words=shlex.join(words)))
                return
            elif words[0] == "python":
                ended = self.project.run(sys.executable, *words[1:])
            else:
                ended = self.project.run(*words)
        said = ended.out + ended.err
        same(int(step.verb[1:] or 0), ended.status, f"its exit status, after:\n{said}")
        check_said(said, step.body)

    def _own(self, step: Step) -> None:
        try:
            super()._command(step)
        except ToldOtherwise as error:
            if ASKS not in str(error):
                raise
            super()._command(replace(step, words=f"{step.words} --noinput"))

    def _shell(self, script: str) -> Ended:
        path = f"PATH={shlex.quote(str(self.project.root.parent / 'bin'))}:$PATH\n"
        return self.project.run("sh", "-euc", path + script)


def _split(command: str) -> tuple[dict[str, str], list[str]]:
    """The variables that a command begins with, and its words."""
    words = shlex.split(command)
    variables = list(takewhile(VARIABLE.match, words))
    return dict(word.split("=", 1) for word in variables), words[len(variables) :]
