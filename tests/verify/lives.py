"""Lives of databases: a random history, a database that is somewhere on its way, and one damage of twelve kinds."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.databases import Database
from tests.pitfalls.project import Project, columns
from tests.project.projects import write
from tests.verify.test_verify import ID, MIGRATION

FIELDS = (
    "IntegerField(null=True)",
    "CharField(max_length={size}, default='')",
    "TextField(null=True)",
    "DateField(null=True)",
)


@dataclass
class Model:
    """A model as the operations so far have left it."""

    fields: dict[str, str]
    indexes: list[str]


@dataclass
class Author:
    """Writes migrations, each of which fits what those before have left."""

    rng: random.Random
    models: dict[str, Model]
    number: int = 0

    def migration(self) -> list[str]:
        """The operations of the next one."""
        if self.models and self.rng.random() < 0.1:
            return ["migrations.RunPython(nothing, nothing)"]
        if self.models and self.rng.random() < 0.1:
            model = self.rng.choice(list(self.models))
            return [f'migrations.AlterModelOptions("{model}", {{"verbose_name": "v{self.next()}"}})']
        return [self.operation() for _ in range(self.rng.randint(1, 3))]

    def next(self) -> int:
        self.number += 1
        return self.number

    def field(self) -> str:
        return f"models.{self.rng.choice(FIELDS).format(size=self.rng.randint(5, 50))}"

    def operation(self) -> str:
        """One operation."""
        kind = self.rng.choice(("create", "add", "add", "alter", "remove", "index", "rename", "model", "delete"))
        name = self.rng.choice(list(self.models) or [""])
        model = self.models.get(name)
        free = [each for each in model.fields if each not in model.indexes] if model else []
        if not model or kind == "create":
            name = f"Model{self.next()}"
            self.models[name] = Model({"name": "models.CharField(max_length=20)"}, [])
            return f'migrations.CreateModel("{name}", [{ID}, ("name", models.CharField(max_length=20))])'
        if kind == "index" and free:
            field = self.rng.choice([each for each in free if "TextField" not in model.fields[each]] or [""])
            if field:
                index = f"index{self.next()}"
                model.indexes.append(field)
                return f'migrations.AddIndex("{name}", models.Index(fields=["{field}"], name="{index}"))'
        if kind == "alter" and free:
            field = self.rng.choice(free)
            if "CharField" in model.fields[field]:
                model.fields[field] = f"models.CharField(max_length={self.rng.randint(51, 99)}, default='')"
                return f'migrations.AlterField("{name}", "{field}", {model.fields[field]})'
        if kind == "remove" and len(free) > 1:
            field = self.rng.choice(free)
            del model.fields[field]
            return f'migrations.RemoveField("{name}", "{field}")'
        if kind == "rename" and free:
            field, new = self.rng.choice(free), f"field{self.next()}"
            model.fields[new] = model.fields.pop(field)
            return f'migrations.RenameField("{name}", "{field}", "{new}")'
        if kind == "model":
            new = f"Model{self.next()}"
            self.models[new] = self.models.pop(name)
            return f'migrations.RenameModel("{name}", "{new}")'
        if kind == "delete" and len(self.models) > 1:
            del self.models[name]
            return f'migrations.DeleteModel("{name}")'
        return self._added(name, model)

    def _added(self, name: str, model: Model) -> str:
        field = f"field{self.next()}"
        model.fields[field] = self.field()
        return f'migrations.AddField("{name}", "{field}", {model.fields[field]})'


@dataclass
class Life:
    """One project with one database, at migration `at` of `names`."""

    project: Project
    rng: random.Random
    names: list[str]
    at: int
    renamed: str = ""
    """The name that a table had before."""

    def execute(self, statement: str) -> None:
        self.project.databases["default"].execute(statement)

    @property
    def engine(self) -> str:
        return self.project.databases["default"].engine

    def recorded(self) -> list[str]:
        """The names that are recorded."""
        return [name for _, app, name, _ in self.project.databases["default"].dump() if app == "shop"]

    def tables(self) -> list[str]:
        """The tables of the app."""
        database = self.project.databases["default"]
        query = {
            "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
            "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
            "mysql": "SHOW TABLES",
        }[self.engine]
        return sorted(row[0] for row in database.execute(query) if row[0].startswith("shop_"))

    def column(self) -> tuple[str, str]:
        """A table and one of its columns."""
        table = self.rng.choice(self.tables())
        return table, self.rng.choice(
            [each for each in columns(self.project.databases["default"], table) if each != "id"]
        )


def rows_lost(life: Life) -> None:
    for name in life.recorded():
        if life.rng.random() < 0.5:
            life.execute(f"DELETE FROM django_migrations WHERE app = 'shop' AND name = '{name}'")


def rows_too_many(life: Life) -> None:
    for name in life.names[life.at :]:
        if life.rng.random() < 0.6:
            life.execute(
                f"INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '{name}', '2024-01-01 00:00:00')"
            )


def faked_forward(life: Life) -> None:
    life.project.manage_all(["migrate", "shop", life.rng.choice(life.names[life.at - 1 :]), "--fake"])


def faked_back(life: Life) -> None:
    life.project.manage_all(["migrate", "shop", life.rng.choice(["zero", *life.names[: life.at]]), "--fake"])


def killed(life: Life) -> None:
    """What a kill leaves on MariaDB; elsewhere a migration that is not atomic would leave the same."""
    if life.at == len(life.names):
        return
    text = life.project.manage_all(["sqlmigrate", "shop", life.names[life.at]])[0].out
    statements = [
        line for line in text.splitlines() if line and not line.startswith("--") and line not in ("BEGIN;", "COMMIT;")
    ]
    for statement in statements[: life.rng.randrange(len(statements) + 1)]:
        life.execute(statement)


def column_dropped(life: Life) -> None:
    table, column = life.column()
    try:
        life.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    except Exception as error:  # SQLite does not drop a column with an index
        assert life.engine == "sqlite", error


def index_missing(life: Life) -> None:
    database = life.project.databases["default"]
    for number in life.rng.sample(range(60), 60):
        for table in life.tables() if life.engine == "mysql" else [""]:
            on = f" ON {table}" if table else ""
            try:
                database.execute(f"DROP INDEX index{number}{on}")
            except Exception:  # there is none of this name
                continue
            return


def type_changed(life: Life) -> None:
    table, column = life.column()
    word = {"postgresql": f"ALTER {column} TYPE text", "mysql": f"MODIFY {column} varchar(200)"}.get(life.engine)
    if word:
        life.execute(f"ALTER TABLE {table} {word}")


def table_renamed(life: Life) -> None:
    life.renamed = life.rng.choice(life.tables())
    life.execute(f"ALTER TABLE {life.renamed} RENAME TO other")


def older_dump(life: Life) -> None:
    """The rows of an earlier day beside the tables of today."""
    for name in life.names[life.rng.randrange(life.at) : life.at]:
        life.execute(f"DELETE FROM django_migrations WHERE app = 'shop' AND name = '{name}'")


def two_branches(life: Life) -> None:
    """Rows and a table of a branch that is not here, and rows of this one are missing."""
    older_dump(life)
    life.execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0099_branch', '2024-01-01 00:00:00')"
    )
    life.execute("CREATE TABLE shop_branch (id integer NOT NULL PRIMARY KEY)")


def reset(life: Life) -> None:
    """One file for all, and its name recorded by hand where the database may have been behind."""
    place = life.project.migrations("shop")
    bodies = []
    for name in life.names:
        text = (place / f"{name}.py").read_text()
        bodies.append(text.split("operations = [\n", 1)[1].rsplit("    ]", 1)[0])
        (place / f"{name}.py").unlink()
    write(place, {"0001_initial.py": MIGRATION.format(after="", operations="".join(bodies).strip())})
    life.execute("DELETE FROM django_migrations WHERE app = 'shop'")
    life.execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0001_initial', '2024-01-01 00:00:00')"
    )


DAMAGES: tuple[Callable[[Life], None], ...] = (
    rows_lost,
    rows_too_many,
    faked_forward,
    faked_back,
    killed,
    column_dropped,
    index_missing,
    type_changed,
    table_renamed,
    older_dump,
    two_branches,
    reset,
)


def begin(root: Path, database: Database, rng: random.Random) -> Life:
    """A project with a random history, and its database somewhere on the way."""
    project = Project(root, {"default": database})
    root.mkdir(parents=True)
    project.write_files("shop", ())
    author, names = Author(rng, {}), list[str]()
    for number in range(1, rng.randint(5, 14) + 1):
        after = f'("shop", "{names[-1]}")' if names else ""
        names.append(f"{number:04}_step")
        operations = ",\n        ".join(author.migration()) + ","
        write(project.migrations("shop"), {f"{names[-1]}.py": MIGRATION.format(after=after, operations=operations)})
    at = rng.randint(1, len(names))
    [ended] = project.manage_all(["migrate", "shop", names[at - 1]])
    assert ended.status == 0, ended.err
    return Life(project, rng, names, at)
