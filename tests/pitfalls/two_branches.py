"""Two branches of one project: what each does to its migrations and its database, what git makes of both, and a person.

The person types what migsync prints, nothing else.
"""

from __future__ import annotations

import random
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.shop import Ended
from tests.databases import SQLiteDatabase
from tests.pitfalls.project import File, Project, has_table
from tests.project.projects import write

TABLES = {"shop": "shop_item", "blog": "blog_post"}
MODELS = {"shop": "Item", "blog": "Post"}
MAIN, MINE = "main", "mine"
LIMIT = 3
PRINTED = re.compile(r"(?:^\s*|: |`)((?:migsync|python manage\.py|git) [a-z][^\n`]*)", re.MULTILINE)
AGAIN = re.compile(r"[Rr]un (?:the|this) command again with `(--[^`]+)`")
OLD_FILES = re.compile(r"^ *git checkout [0-9a-f]+\n *python manage.py migrate .*\n *git checkout -$", re.MULTILINE)
PLACEHOLDER = re.compile(r"(?<![\w.])[A-Z]{2,}(?![.\w])|…|/OLD|\.OLD|\.NEW|=NEW|=OLD")
NOT_FOR_THIS = re.compile(r"--dry-run|migsync (?:explain|show|graph|log|status|undo)|--help|git (?:log|add)")


class DeadEnd(Exception):
    """What was printed leads nowhere."""


class Discarded(Exception):
    """No state to judge: the person resolved the conflict so that operations are gone or there twice."""


@dataclass
class Life:
    """The project at `root`; `databases` hold one for each branch. `random` decides everything."""

    root: Path
    random: random.Random
    log: list[str] = field(default_factory=list)
    columns: int = 0

    def __post_init__(self) -> None:
        self.databases = {name: SQLiteDatabase(self.root.parent / f"{name}.sqlite3") for name in (MAIN, MINE, "fresh")}
        self.project = Project(self.root, {}, extra="")
        self.project.apps = {"shop": "shop", "blog": "blog"}
        self.on(MAIN)
        for label in ("shop", "blog"):
            text = f"class Config(AppConfig):\n    name = {label!r}\n    label = {label!r}\n"
            write(self.root, {f"{label}/apps.py": f"from django.apps import AppConfig\n\n\n{text}"})
        self._write_base()
        write(self.root, {".gitignore": "/config\n/manage.py\n__pycache__\nmodels.py\n"})
        self.git("init", "-q", "-b", MAIN)
        self.commit("base")
        for name in (MAIN, MINE):
            self.on(name)
            self.migrate()
        self.git("branch", MINE)

    def on(self, *names: str) -> None:
        """The settings name these databases, the first one as `default`."""
        self.project.databases = {
            alias: self.databases[name] for alias, name in zip(("default", "second"), names, strict=False)
        }
        self.project.write_settings()

    def _write_base(self) -> None:
        shop = [File("0001_initial", ("create Item",))]
        kind = self.random.choice(("line", "gap", "fork"))
        above = ("shop", "0001_initial")
        if kind == "fork":
            shop += [self._file("0002_l", above), self._file("0002_r", above)]
            shop.append(File("0003_merge", after=(("shop", "0002_l"), ("shop", "0002_r"))))
            shop.append(self._file("0004_d", ("shop", "0003_merge")))
            last = "0004_d"
        else:
            numbers = (2, 3, 4) if kind == "line" else (2, 4, 5)
            for number, letter in zip(numbers, "bcd", strict=True):
                last = f"{number:04}_{letter}"
                shop.append(self._file(last, above))
                above = ("shop", last)
        blog = [File("0001_initial", ("create Post",))]
        blog.append(self._file("0002_t", ("blog", "0001_initial"), "Post", ("shop", last)))
        blog.append(self._file("0004_u", ("blog", "0002_t"), "Post"))
        self.project.write_files("shop", shop)
        self.project.write_files("blog", blog)
        for place, table in TABLES.items():
            path = self.root / place / "migrations/0001_initial.py"
            # So that the table keeps its name when the app gets another label.
            path.write_text(path.read_text().replace("max_length=9))]", f'max_length=9))], {{"db_table": "{table}"}}'))
        self.write_models()

    def write_models(self) -> None:
        """What the files lead to; a person resolves conflicts in models.py as well as in the files."""
        for place, table in TABLES.items():
            texts = [path.read_text() for path in (self.root / place / "migrations").glob("[0-9]*.py")]
            found = sorted({name for text in texts for name in re.findall(r"['\"](c\d+)['\"]", text)})
            self.project.write_model(place, MODELS[place], found)
            path = self.root / place / "models.py"
            path.write_text(f'{path.read_text()}\n    class Meta:\n        db_table = "{table}"\n')

    def _file(self, name: str, *after: tuple[str, str] | str) -> File:
        model = next((each for each in after if isinstance(each, str)), "Item")
        self.columns += 1
        keys = tuple(each for each in after if not isinstance(each, str))
        return File(name, (f"add {model}.c{self.columns}",), keys)

    # What a branch does.

    def live(self, name: str) -> None:
        """A few changes on one branch; each is committed, and the branch's own database follows, or not yet."""
        self.git("checkout", "-q", name)
        self.on(name)
        self.write_models()
        self.log.append(f"on {name}:")
        for _ in range(self.random.randint(1, 3)):
            action = self.random.choice(
                (*3 * [self.new], *2 * [self.linearize, self.squash, self.renumber], self.rename_app)
            )
            said = action()
            if said and self.changed():
                self.log.append(f"  {said}")
                self.commit(said)
            if self.random.random() < 0.8:
                self.migrate()

    def label(self, place: str) -> str:
        return re.findall(r"label = '(\w+)'", (self.root / place / "apps.py").read_text())[0]

    def new(self) -> str:
        """A new migration at the end of an app, which may depend on one of the other app too."""
        place = self.random.choice(("shop", "shop", "blog"))
        app, other = self.label(place), "blog" if place == "shop" else "shop"
        files = self.files(place)
        named = {name for parents in files.values() for label, name in parents if label == app}
        leaves = sorted(files.keys() - named)
        number = max(int(name[:4]) for name in files) + 1
        after = [(app, leaf) for leaf in leaves]
        if place == "blog" and self.random.random() < 0.4:
            after.append((self.label(other), self.random.choice(sorted(self.files(other)))))
        file = self._file(f"{number:04}_n{self.columns}", *after, "Item" if place == "shop" else "Post")
        self.project.write_files(place, [file])
        self.write_models()
        return f"new {app}.{file.name} after {after}"

    def linearize(self) -> str:
        return self.change("linearize", *self.one_app())

    def renumber(self) -> str:
        return self.change("renumber", *([self.label("shop")] if self.random.random() < 0.5 else []))

    def squash(self) -> str:
        place = self.random.choice(("shop", "shop", "blog"))
        # What only this branch has, other databases have not run; a squash of it is a matter of its own.
        names = sorted(name for name in self.files(place) if not re.search(r"_n\d+", name))
        if len(names) < 2:
            return ""
        first = self.random.randrange(len(names) - 1)
        last = self.random.randrange(first + 1, len(names))
        proofs = ("--no-prove-schema", "--no-prove-transition")
        return self.change("squash", self.label(place), names[first], names[last], *proofs)

    def rename_app(self) -> str:
        old = self.label("blog")
        if old == "news":
            return ""
        new = "news"
        path = self.root / "blog/apps.py"
        text = path.read_text()
        path.write_text(text.replace(f"label = '{old}'", f"label = '{new}'"))
        # Tables keep their names.
        said = self.change("rename-app", old, new, "--force")
        if not said:
            path.write_text(text)
        return said

    def one_app(self) -> list[str]:
        return self.random.choice(([], ["--app", "shop"]))

    def change(self, *command: str) -> str:
        ended = self.migsync(*command, "--update-db", "--yes")
        return "" if ended.status else shlex.join(command)

    def files(self, place: str) -> dict[str, list[tuple[str, str]]]:
        """The names of an app's files, with their dependencies."""
        found = {}
        for path in (self.root / place / "migrations").glob("[0-9]*.py"):
            text = path.read_text()
            block = text[text.index("dependencies") :].split("]")[0]
            found[path.stem] = re.findall(r"\(\s*['\"](\w+)['\"], ['\"](\w+)['\"],?\s*\)", block)
        return found

    def migrate(self) -> None:
        """The database of the branch follows its files, a day before its rewrites, or after them."""
        database = self.project.databases["default"]
        before = {row[0] for row in database.dump()} if has_table(database) else set()
        ended = self.project.manage("migrate", "--verbosity", "0")
        if ended.status:
            raise Discarded(ended.err[-500:])
        days = "+1 day" if list(self.root.glob("migration_rewrites/*")) else "-1 day"
        for number, *_ in database.dump():
            if number not in before:
                later = f"datetime(applied, '{days}', '+{number} seconds')"
                database.execute(f"UPDATE django_migrations SET applied = {later} WHERE id = {number}")

    # What git makes of it.

    def meet(self) -> None:
        """Merge, rebase, cherry-pick or revert; the person resolves conflicts for one of the two sides."""
        way = self.random.choice(("merge", "merge into main", "rebase", "cherry-pick", "revert"))
        self.log.append(way)
        self.git("checkout", "-q", MAIN if way == "merge into main" else MINE)
        if way == "merge":
            self.git_resolved("merge", "-q", "--no-edit", MAIN)
        elif way == "merge into main":
            self.git_resolved("merge", "-q", "--no-edit", MINE)
        elif way == "rebase":
            self.git_resolved("rebase", "-q", MAIN)
        elif way == "cherry-pick":
            commits = self.git("rev-list", "--reverse", f"{MINE}..{MAIN}").split()
            if not commits:
                raise Discarded("nothing to pick")
            self.git_resolved("cherry-pick", self.random.choice(commits))
        else:
            self.git_resolved("merge", "-q", "--no-edit", MAIN)
            commits = self.git("rev-list", "--no-merges", "--topo-order", "HEAD").split()[:-1]
            # Only a rewrite of names is reverted: a migration that ran is not, without migrating back.
            commits = [each for each in commits if "migration_rewrites/" in self.git("show", "--name-only", each)]
            if not commits:
                raise Discarded("nothing to revert")
            # By subject, and the first one last: git orders the commits of one second as it likes.
            subjects = {self.git("log", "-1", "--format=%s", each).strip(): each for each in commits}
            subject = self.random.choice(sorted(subjects))
            commit = subjects[subject]
            self.log.append(f"  revert {subject}")
            self.git_resolved("revert", "--no-edit", commit)
        on = (MAIN, MINE) if way == "merge into main" else (MINE, MAIN)
        self.on(*(on[:1] if way == "cherry-pick" else on))
        self._judge_files()
        self.write_models()

    def git_resolved(self, *command: str) -> None:
        winner = self.random.choice(("2", "3"))
        ended = self.run_git(*command)
        for _ in range(9):
            unmerged = {}
            for line in self.git("ls-files", "-u", "-z").split("\0")[:-1]:
                _, blob, rest = line.split(" ", 2)
                stage, path = rest.split("\t")
                unmerged.setdefault(path, {})[stage] = blob
            if ended.returncode == 0 and not unmerged:
                return
            self.log.append(f"  conflict in {sorted(unmerged)}: side {winner}")
            for path, stages in unmerged.items():
                if winner in stages:
                    self.git("checkout", f"--{'ours' if winner == '2' else 'theirs'}", "--", path)
                    self.git("add", "--", path)
                else:
                    self.git("rm", "-q", "-f", "--", path)
            ended = (
                self.run_git("commit", "-q", "--no-edit", "--allow-empty")
                if command[0] == "merge"
                else self.run_git(command[0], "--continue")
            )
            if ended.returncode and not self.git("ls-files", "-u") and command[0] != "merge":
                ended = self.run_git(command[0], "--skip")
            if ended.returncode == 0:
                return
        raise Discarded(f"git {command}: {ended.stderr}")

    def _judge_files(self) -> None:
        """Each column once, and none lost that one of the databases has."""
        texts = [path.read_text() for path in self.root.glob("*/migrations/[0-9]*.py")]
        found = [name for text in texts for name in set(re.findall(r"['\"](c\d+)['\"]", text))]
        if len(found) != len(set(found)):
            raise Discarded("an operation is there twice")
        for name in self.project.databases.values():
            for table in ("shop_item", "blog_post"):
                there = {row[1] for row in name.execute(f"PRAGMA table_info({table})")} - {"id", "name"}
                if there - set(found):
                    raise Discarded("an operation is gone")
        if any("<<<<" in text for text in texts):
            raise Discarded("markers")

    # What the person does.

    def follow(self) -> list[str]:
        """Type what is printed until `plan` is content; raise DeadEnd where that leads nowhere."""
        typed: list[str] = []
        transcript: list[str] = []
        said: str | None = self.plan(transcript)
        name = "migsync plan"
        while said is not None:
            command = next(self.printed(said, name), None)
            if command is None:
                raise DeadEnd("no command is printed\n" + "\n".join(transcript))
            if len(typed) == LIMIT:
                raise DeadEnd(f"more than {LIMIT} commands\n" + "\n".join(transcript))
            typed.append(command)
            ended = self.type(command)
            said, name = f"{ended.out}\n{ended.err}", command
            transcript.append(f"$ {command}  [{ended.status}]\n{said}")
            if ended.status == 0 and not command.startswith("migsync plan"):
                # What is said of other databases, or of later, is of no matter where nothing is left to do here.
                planned = self.plan(transcript)
                if planned is None or not next(self.printed(said, name), ""):
                    said, name = planned, "migsync plan"
        return typed

    def plan(self, transcript: list[str]) -> str | None:
        ended = self.migsync("plan")
        said = f"{ended.out}\n{ended.err}"
        transcript.append(f"$ migsync plan  [{ended.status}]\n{said}")
        return None if ended.status == 0 and "migsync apply" not in said else said

    def printed(self, said: str, last: str) -> Iterator[str]:
        if block := OLD_FILES.search(said):
            yield " && ".join(line.strip() for line in block[0].strip().splitlines())
        options = [f"{last} {match[1]}" for match in AGAIN.finditer(said)]
        found = [match[1].strip().rstrip(".,;)") for match in PRINTED.finditer(said)] + options
        for command in found:
            if not PLACEHOLDER.search(command) and not NOT_FOR_THIS.search(command) and command != "migsync plan":
                yield command

    def type(self, command: str) -> Ended:
        if " && " in command:
            ended = [self.type(each) for each in command.split(" && ")]
            return Ended(
                max(each.status for each in ended),
                "".join(each.out for each in ended),
                "".join(each.err for each in ended),
            )
        words = shlex.split(command)
        if words[0] == "git":
            ended = self.run_git(*words[1:])
            self.write_models()  # a person takes models.py along
            return Ended(ended.returncode, ended.stdout, ended.stderr)
        if words[0] == "python":
            return self.project.manage(*words[2:], "--noinput")
        return self.migsync(*words[1:], *([] if words[1] == "plan" else ["--yes"]))

    def judge(self) -> None:
        """Django's `migrate` on the databases, and on a fresh one: the same schema."""
        aliases = list(self.project.databases)
        commands = [["migrate", "--database", alias, "--verbosity", "0"] for alias in aliases]
        self.project.databases = {**self.project.databases, "fresh": self.databases["fresh"]}
        self.project.write_settings()
        commands.append(["migrate", "--database", "fresh", "--verbosity", "0"])
        commands += [["migrate", "--check", "--database", alias] for alias in aliases]
        for command, ended in zip(commands, self.project.manage_all(*commands), strict=True):
            if ended.status:
                raise DeadEnd(f"{command}: {ended.err[-2000:]}")
        schemas = {alias: schema(database) for alias, database in self.project.databases.items()}
        for alias in aliases:
            if schemas[alias] != schemas["fresh"]:
                raise DeadEnd(f"schema of {alias}: {schemas[alias] ^ schemas['fresh']}")

    # Tools.

    def migsync(self, *arguments: str) -> Ended:
        return self.project.migsync(*arguments)

    def changed(self) -> bool:
        return bool(self.git("status", "--porcelain"))

    def commit(self, text: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", text)

    def git(self, *arguments: str) -> str:
        ended = self.run_git(*arguments)
        assert ended.returncode == 0, (arguments, ended.stdout, ended.stderr)
        return ended.stdout

    def run_git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        person = ["-c", "user.name=a person", "-c", "user.email=person@example.com", "-c", "core.editor=true"]
        return subprocess.run(
            ["git", *person, *arguments], cwd=self.root, capture_output=True, text=True, check=False, timeout=60
        )


def schema(database: SQLiteDatabase) -> set[tuple[str, str]]:
    """Each column of each table of the project."""
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        (table, row[1])
        for table in tables
        if table.startswith(("shop", "blog"))
        for row in database.execute(f"PRAGMA table_info({table})")
    }
