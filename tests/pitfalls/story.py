"""Stories: what a person does with a project and its databases, and what must come of it, in one text file each.

A step is a line; the indented lines after it belong to it.

    engines sqlite postgresql mysql  the story is told once on each (without this line on SQLite)
    databases default second         the aliases (without this line there is ``default``); `second:mysql`: always there
    contrib auth contenttypes        apps of ``django.contrib`` that are installed
    package wares usr/lib            somebody else's app, installed in that directory
    app shop goods/sale [db/shop]    where an app is that is not in ``shop/`` [and where its migrations are]
    settings DEBUG = True            the last line of the settings (without it: none)
    files shop                       (over)write migration files, each after the one above it unless it says otherwise
      0001_initial: create Item
      0002_item_price: add Item.price
      0002_item_size: after 0001_initial; add Item.size
      0003_merge: after 0002_item_price 0002_item_size
      0004_both: replaces 0002_item_price 0002_item_size; add Item.price; add Item.size
    models shop Item price size      the app's models.py: one model with these columns (without it: no models)
    mv shop 0002_x=0003_x 0003_x=0002_x   rename files by hand, all at once, and what depends on them
    rm shop 0003_merge               delete a file
    uninstall shop                   take an app out of the settings
    migrated second shop 0002        migrate, as it was done long ago
    sql second UPDATE ...            change rows behind everybody's back
    commit "the shop"                all files into git
    $ migsync plan                   run it, as `$ manage.py …` and `$ git …`; it must end with 0
      needs 3 changes              these texts are in the output, in this order (`*` is any text in a line)
      not: blocked                   and this is not
    $3 migsync apply plan.json       it must end with 3
    rows second                      all records: id and key
      1 shop.0001_initial
    note before                      remember the records of all databases, to the letter,
    rows as before                   and compare them (`rows second as before`: of one)
    pending second                   what `manage.py migrate --plan` says; without lines: nothing
    columns shop_item id name        the table has these columns (with no columns: it is not there)
    rewrites 1                       so many rewrites are there; `{rewrite1}` in a command is the file name of the first

Beside what it says, every story keeps these promises: what is refused changes no row and no file; a row keeps its
`applied`; `plan` and `--dry-run` write nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from tests.cli.shop import Ended
from tests.databases import Database
from tests.pitfalls.project import Dump, File, Project, columns

HEAD = ("databases", "engines")


class ToldOtherwise(Exception):
    """What a story tells is not what happened."""


def same(expected: object, found: object, what: str = "") -> None:
    """Raise ToldOtherwise unless both are equal."""
    if expected != found:
        raise ToldOtherwise(f"{what}\n  told:  {expected}\n  found: {found}")


@dataclass(frozen=True)
class Step:
    """One line of a story, and the indented lines that belong to it."""

    where: str
    verb: str
    words: str
    body: tuple[str, ...]


@dataclass(frozen=True)
class Story:
    """A story that was read: its steps, the databases and the engines it wants."""

    steps: tuple[Step, ...]
    aliases: tuple[str, ...] = ("default",)
    engines: tuple[str, ...] = ("sqlite",)


def read_story(path: Path) -> Story:
    """Read a story; what it does not understand is told when the story is played."""
    return story_of(read_steps(path.name, path.read_text().splitlines()))


def story_of(steps: Iterable[Step]) -> Story:
    """The story that the steps tell, the first of which say what it needs."""
    steps = list(steps)
    head = {step.verb: tuple(step.words.split()) for step in steps if step.verb in HEAD}
    rest = tuple(step for step in steps if step.verb not in HEAD)
    return Story(rest, head.get("databases", ("default",)), head.get("engines", ("sqlite",)))


def read_steps(name: str, lines: Iterable[str], first: int = 1) -> Iterator[Step]:
    """The steps in the lines of a file, of which the first has that number."""
    numbered = list(enumerate(lines, first))
    written = [(number, line) for number, line in numbered if line.strip() and not line.lstrip().startswith("# ")]
    for place, (number, line) in enumerate(written):
        if line[0].isspace():
            continue
        body = []
        for _, following in written[place + 1 :]:
            if not following[0].isspace():
                break
            body.append(" ".join(following.split()))
        verb, _, words = line.partition(" ")
        yield Step(f"{name}:{number}: {line}", verb, words.strip(), tuple(body))


@dataclass
class Player:
    """Plays a story's steps in a project."""

    project: Project
    notes: dict[str, Mapping[str, Dump]] = field(default_factory=dict)
    rewrites: list[str] = field(default_factory=list)

    def play(self, story: Story) -> None:
        """Play it; raises ToldOtherwise with the step's place in the file."""
        for verb, steps in groupby(story.steps, lambda step: step.verb):
            if together := getattr(self, f"_all_{verb}", None):  # most of a manage.py is its start
                together(list(steps))
                continue
            for step in steps:
                try:
                    self._step(step)
                except ToldOtherwise as error:
                    raise ToldOtherwise(f"{step.where}\n{error}") from None

    def _all_migrated(self, steps: list[Step]) -> None:
        self.project.migrate_all([step.words.split() or ["default"] for step in steps])

    def _all_pending(self, steps: list[Step]) -> None:
        found = self.project.pending_all(step.words or "default" for step in steps)
        for step, pending in zip(steps, found, strict=True):
            same(list(step.body), pending, step.where)

    def _step(self, step: Step) -> None:
        if step.verb.startswith("$"):
            self._command(step)
        else:
            steps: dict[str, Callable[[Step], None]] = {
                name.removeprefix("_do_"): getattr(self, name) for name in dir(self) if name.startswith("_do_")
            }
            same(True, step.verb in steps, f"no such step; there are: {', '.join(steps)}")
            steps[step.verb](step)

    def _do_contrib(self, step: Step) -> None:
        self.project.apps |= {label: f"django/contrib/{label}" for label in step.words.split()}

    def _do_package(self, step: Step) -> None:
        label, directory = step.words.split()
        self.project.packages[label] = directory
        self.project.write_settings()

    def _do_app(self, step: Step) -> None:
        self.project.place_app(*step.words.split())

    def _do_settings(self, step: Step) -> None:
        self.project.extra = step.words
        self.project.write_settings()

    def _do_files(self, step: Step) -> None:
        self.project.write_files(step.words, files_of(step.words, step.body))

    def _do_models(self, step: Step) -> None:
        app, model, *added = step.words.split()
        self.project.write_model(app, model, added)

    def _do_mv(self, step: Step) -> None:
        app, *pairs = step.words.split()
        self.project.rename(app, dict(pair.split("=") for pair in pairs))

    def _do_rm(self, step: Step) -> None:
        app, *names = step.words.split()
        for name in names:
            self.project.remove(app, name)

    def _do_uninstall(self, step: Step) -> None:
        del self.project.apps[step.words]
        self.project.write_settings()

    def _do_sql(self, step: Step) -> None:
        alias, _, statement = step.words.partition(" ")
        self.project.databases[alias].execute(statement)

    def _do_commit(self, step: Step) -> None:
        if not (self.project.root / ".git").exists():
            (self.project.root / ".gitignore").write_text("*.sqlite3\n__pycache__/\n")
            self._git("init", "-q", "-b", "main")
        self._git("add", "-A")
        self._git("commit", "-q", "-m", *shlex.split(step.words))

    def _git(self, *words: str) -> None:
        ended = self.project.run("git", *words)
        same(0, ended.status, ended.out + ended.err)

    def _do_note(self, step: Step) -> None:
        self.notes[step.words] = self.project.dumps()

    def _do_rows(self, step: Step) -> None:
        which, _, note = step.words.partition("as ")
        if note:
            aliases = which.split() or list(self.notes[note])
            now = self.project.dumps()
            for alias in aliases:
                same(self.notes[note][alias], now[alias], alias)
        else:
            dump = self.project.databases[which.strip() or "default"].dump()
            same(list(step.body), [f"{number} {app}.{name}" for number, app, name, _ in dump])

    def _do_columns(self, step: Step) -> None:
        words = step.words.split()
        alias = words.pop(0) if words[0] in self.project.databases else "default"
        table, *names = words
        same(names, columns(self.project.databases[alias], table))

    def _do_rewrites(self, step: Step) -> None:
        same(int(step.words), len(list(self.project.root.glob("migration_rewrites/*"))))

    def _command(self, step: Step) -> None:
        words = [self._filled(word) for word in shlex.split(step.words)]
        status = int(step.verb[1:] or 0)
        if words[0] == "migsync":
            ended = self._migsync(words[1:], status)
        elif words[0] == "manage.py":
            ended = self.project.manage(*words[1:])
        else:
            ended = self.project.run(*words)
        said = ended.out + ended.err
        same(status, ended.status, f"its exit status, after:\n{said}")
        check_said(said, tuple(map(self._filled, step.body)))

    def _migsync(self, words: list[str], status: int) -> Ended:
        rows, files = self.project.dumps(), self.project.files()
        ended = self.project.migsync(*words)
        rows_now, files_now = self.project.dumps(), self.project.files()
        said = ended.out + ended.err
        if (status and status != 5) or words[:1] == ["plan"] or "--dry-run" in words:
            same(rows, rows_now, f"rows were changed:\n{said}")
            same(files, files_now, f"files were changed:\n{said}")
        for alias, before in rows.items():
            applied = {row[0]: row[3] for row in before}
            for row in rows_now[alias]:
                same(applied.get(row[0], row[3]), row[3], f"{alias}: `applied` of row {row}")
        self.rewrites += sorted(Path(name).name for name in files_now.keys() - files.keys() if name.endswith(".toml"))
        return ended

    def _filled(self, word: str) -> str:
        return re.sub(r"\{rewrite(\d)\}", lambda match: self.rewrites[int(match[1]) - 1], word)


def files_of(app: str, lines: Iterable[str]) -> Iterator[File]:
    """The files that the lines tell: ``NAME: [after NAMES;] [replaces NAMES;] OPERATION; …``."""
    above: str | None = None
    for line in filter(str.strip, lines):
        name, _, rest = line.partition(":")
        after = _keys(app, above or "")
        replaces: tuple[tuple[str, str], ...] = ()
        operations = []
        for part in filter(None, (part.strip() for part in rest.split(";"))):
            verb, _, names = part.partition(" ")
            if verb == "after":
                after = _keys(app, names)
            elif verb == "replaces":
                replaces = _keys(app, names)
            else:
                operations.append(part)
        yield File(name, tuple(operations), after, replaces)
        above = name


def _keys(app: str, names: str) -> tuple[tuple[str, str], ...]:
    pairs = ((app, name) if "." not in name else tuple(name.split(".")) for name in names.split())
    return tuple(pairs)  # type: ignore[arg-type]


def check_said(said: str, expected: tuple[str, ...]) -> None:
    """Raise ToldOtherwise unless the expected lines are in what was said, in this order."""
    text = re.sub(r"[ \t]+", " ", said)
    place = 0
    for line in expected:
        if line.startswith("not: "):
            if line.removeprefix("not: ") in text:
                raise ToldOtherwise(f"this is in what follows it: {line}\n\n{said}")
            continue
        pattern = re.compile(".*".join(map(re.escape, line.split("*"))))
        found = pattern.search(text, place)
        if not found:
            raise ToldOtherwise(f"this is not in what follows it: {line}\n\n{said}")
        place = found.end()


def stage(root: Path, story: Story, engine: str, new_database: Callable[[str], Database]) -> Player:
    """A project with the story's databases, all on one engine, and no files yet."""
    (root / "project").mkdir()
    databases = {}
    for text in story.aliases:
        alias, _, always = text.partition(":")
        databases[alias] = new_database(always or engine)
    return Player(Project(root / "project", databases))
