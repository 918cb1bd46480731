"""What other tools say of damaged and of healthy databases, beside migsync. Prints Markdown.

    python -m tests.benchmarks.peers PEERS [--engine postgresql mysql] [--only damages products] [--damage NAME …]

PEERS has an environment for each, as ``PEERS/NAME/bin/python``; each needs the drivers ``psycopg`` and ``pymysql``::

    python -m venv PEERS/django-migration-audit
    PEERS/django-migration-audit/bin/pip install django-migration-audit 'psycopg[binary]' pymysql

and so on for django-migrations-guardrail, django-migration-doctor, and django-migraid (``pip install --pre``).

A damage is *found* where a tool has more alarms, or another exit status, than for the whole database. It is *named*
where what the tool says besides has the name of the migration, or of the table, column or index. It is *mended* where,
after all that the tool does or prints, ``migrate`` succeeds, and every column and index of a fresh database is there.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from migsync.engines.catalog import GENERATED
from tests.databases import Database, MySQLDatabases, PostgreSQLDatabase, PostgreSQLDatabases, Server, SQLiteDatabase
from tests.pitfalls.project import COMMANDS, Project
from tests.project.projects import write
from tests.real.damages import COLUMNS, INDEXES, TABLES
from tests.real.project import ENVIRONMENT, WAGTAIL_AND_OSCAR, Kind, make_project
from tests.real.sites import kinds
from tests.verify.test_verify import MIGRATION, OPERATIONS

NOTE = '        migrations.AddField("Item", "note", models.CharField(max_length=20, default=\'\')),'
HISTORY = OPERATIONS | {"0007_note": NOTE}
NAMES = list(HISTORY)
MODELS = """
from django.db import models


class Brand(models.Model):
    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=9, unique=True)


class Item(models.Model):
    id = models.BigAutoField(primary_key=True)
    code = models.UUIDField(unique=True)
    sku = models.CharField(max_length=20, db_index=True)
    stock = models.PositiveIntegerField(default=0)
    maker = models.ForeignKey(Brand, models.CASCADE)
    made = models.DateTimeField(null=True)
    price = models.DecimalField(max_digits=9, decimal_places=2, default=0)
    note = models.CharField(max_length=20, default="")

    class Meta:
        verbose_name = "thing"
        constraints = [models.CheckConstraint(condition=models.Q(price__gte=0), name="item_least")]
        indexes = [models.Index(fields=["made", "stock"], name="item_made")]


class Order(models.Model):
    id = models.BigAutoField(primary_key=True)
    items = models.ManyToManyField(Item)
"""
SETTINGS = """
import os
INSTALLED_APPS += os.environ.get("PEER_APP", "").split()
SECRET_KEY = "not a secret"
"""


OF_A_PRODUCT = """
INSTALLED_APPS = [*INSTALLED_APPS, *os.environ.get("PEER_APP", "").split()]
SILENCED_SYSTEM_CHECKS = ["mysql.E001", "admin.E403", "admin.E408", "admin.E409", "admin.E410"]
"""


@dataclass(frozen=True)
class Answer:
    """What one command of a tool said."""

    status: int
    said: str

    def beyond(self, other: Answer) -> str:
        """The lines that `other` has not."""
        known = set(other.said.splitlines())
        return "\n".join(line for line in self.said.splitlines() if line not in known)


@dataclass(frozen=True)
class Tool:
    """A tool: the app that a project installs, the command that looks, and what it offers to mend.

    `printed` finds statements in what the command said; `alarms` are errors and warnings in it.
    """

    name: str
    app: str
    look: tuple[str, ...]
    alarms: str
    mend: tuple[tuple[str, ...], ...] = ()
    printed: str = "(?!)"

    def version(self, peers: Path) -> str:
        """The version that is installed."""
        said = f"import importlib.metadata as m; print(m.version({self.name!r}))"
        ended = subprocess.run([self.python(peers), "-c", said], capture_output=True, text=True, check=True)
        return ended.stdout.strip()

    def python(self, peers: Path) -> str:
        return str(peers / self.name / "bin" / "python") if self.app else sys.executable


MIGSYNC = Tool("migsync", "", ("-m", "migsync", "verify"), r"^ +(?:Error|Warning): ")
TOOLS = (
    Tool(
        "django-migration-audit",
        "django_migration_audit",
        ("manage.py", "audit_migrations"),
        r"^ +\[(?:ERROR|WARNING)\]",
    ),
    Tool(
        "django-migrations-guardrail",
        "migration_guardrail",
        ("manage.py", "migrate", "--dry-run"),
        r"\|  (?:[A-Z]+ )+(?:MISSING|MISMATCH|IN DB)|\| (?:PARTIAL|INCONSISTENT|MIGRATION MISSING|UNKNOWN)",
        printed=r"^ +(DELETE FROM django_migrations .*;)$",
    ),
    Tool(
        "django-migration-doctor",
        "drmigrate",
        ("manage.py", "drmigrate", "check"),
        r"^ +\[(?:ERROR|WARN) ?\]",
        mend=(("drmigrate", "conflicts", "--apply"),),
    ),
    Tool(
        "django-migraid",
        "migraid",
        ("manage.py", "migraid", "doctor"),
        r"\b[EW]0\d\d\b",
        mend=(("migraid", "prune", "--yes"), *[("migraid", "repair", "--yes")] * 3),
    ),
)


@dataclass
class Case:
    """One project with one database, which all tools look at."""

    project: Project
    peers: Path

    @property
    def database(self) -> Database:
        return self.project.databases["default"]

    def run(self, tool: Tool, *arguments: str) -> Answer:
        python = tool.python(self.peers)
        ended = self.project.run("env", f"PEER_APP={tool.app}", python, *arguments)
        return Answer(ended.status, re.sub(r"\x1b\[[0-9;]*m", "", ended.out + ended.err))

    def forget(self, *names: str) -> None:
        for name in names:
            self.database.execute(f"DELETE FROM django_migrations WHERE app = 'shop' AND name = '{name}'")

    def record(self, *names: str) -> None:
        for name in names:
            values = f"'shop', '{name}', '2026-01-01 00:00:00'"
            self.database.execute(f"INSERT INTO django_migrations (app, name, applied) VALUES ({values})")

    def schema(self) -> set[tuple[str, str, str]]:
        """Every column with its type, and every index, by its name without what Django makes up."""
        database, found = self.database, set()
        for table, *_ in database.execute(TABLES[database.engine]):
            if not str(table).startswith("shop_"):
                continue
            found |= {(table, name, kind) for name, kind in database.execute(COLUMNS[database.engine].format(table))}
            indexes = database.execute(INDEXES[database.engine].format(table))
            found |= {(table, GENERATED.sub("", name), "index") for (name,) in indexes}
        return found


def rows_lost(case: Case) -> None:
    case.forget("0002_price", "0003_sku")


def rows_too_many(case: Case) -> None:
    case.record("0007_note")


def faked_forward(case: Case) -> None:
    case.record(*NAMES[2:])


def faked_back(case: Case) -> None:
    case.forget(*NAMES[2:])


def stopped_half_way(case: Case) -> None:
    text = case.project.manage_all(["sqlmigrate", "shop", "0005"])[0].out
    case.database.execute(next(line for line in text.splitlines() if line.startswith("CREATE TABLE")))


def column_dropped(case: Case) -> None:
    case.database.execute("ALTER TABLE shop_item DROP COLUMN note")


def index_missing(case: Case) -> None:
    on = " ON shop_item" if case.database.engine == "mysql" else ""
    case.database.execute(f"DROP INDEX item_made{on}")


def type_changed(case: Case) -> None:
    how = "MODIFY sku varchar(9) NOT NULL" if case.database.engine == "mysql" else "ALTER sku TYPE varchar(9)"
    case.database.execute(f"ALTER TABLE shop_item {how}")


def table_renamed(case: Case) -> None:
    case.database.execute("ALTER TABLE shop_order_items RENAME TO shop_order_items_old")


def older_dump(case: Case) -> None:
    case.forget("0006_rename", "0007_note")


def two_branches(case: Case) -> None:
    case.record("0008_branch")
    case.database.execute("CREATE TABLE shop_branch (id integer NOT NULL PRIMARY KEY)")
    case.database.execute("ALTER TABLE shop_item ADD COLUMN branch integer")


def reset(case: Case) -> None:
    """One file for all, recorded by hand in a database that was behind."""
    place = case.project.migrations("shop")
    for name in NAMES:
        (place / f"{name}.py").unlink()
    operations = "".join(f"{each.rstrip().rstrip(',')},\n" for each in HISTORY.values())
    write(place, {"0001_initial.py": MIGRATION.format(after="", operations=operations)})
    case.database.execute("DELETE FROM django_migrations WHERE app = 'shop'")
    case.record("0001_initial")


DAMAGES: Mapping[Callable[[Case], None], tuple[str, str, str]] = {
    rows_lost: ("two rows lost in the middle", "0007", r"0002_price|shop_item\.price"),
    rows_too_many: ("a row too many", "0006", r"0007_note|shop_item\W+note"),
    faked_forward: ("faked too far", "0002", r"0003_sku|0005_order|shop_order"),
    faked_back: ("faked back", "0007", r"0003_sku|0005_order|shop_order"),
    stopped_half_way: ("a migration stopped half-way", "0004", r"0005_order|shop_order"),
    column_dropped: ("a column dropped", "0007", r"\bnote\b"),
    index_missing: ("an index missing", "0007", "item_made"),
    type_changed: ("a type changed", "0007", r"\bsku\b"),
    table_renamed: ("a table renamed", "0007", "shop_order_items"),
    older_dump: ("the rows of an older dump", "0007", r"0006_rename|0007_note|shop_item\W+note|shop_brand"),
    two_branches: ("another branch's row, table and column", "0007", r"0008_branch|shop_branch|shop_item\W+branch"),
    reset: ("reset by hand, the database behind", "0005", r"shop_item\W+(?:note|code)|shop_brand"),
}
"""By damage: what it is called, how far the database has come before, and what names it."""


@dataclass
class Stages:
    """Databases that have come so far, and copies of them."""

    make: Callable[[str], Database]
    engine: str
    peers: Path
    directory: Path
    made: dict[str, Database] = field(default_factory=dict)

    def case(self, stage: str, name: str) -> Case:
        """A project with a database of its own, at this stage."""
        database = self.make(self.engine)
        if stage not in self.made:
            self.made[stage] = database
            project = make_shop(self.directory / f"stage-{stage}", database)
            [ended] = project.manage_all(["migrate", "shop", stage])
            assert ended.status == 0, ended.err
            database = self.make(self.engine)
        copy(self.made[stage], database)
        return Case(make_shop(self.directory / name, database), self.peers)


def copy(source: Database, target: Database) -> None:
    """Bring everything of a database into an empty one."""
    if isinstance(source, SQLiteDatabase) and isinstance(target, SQLiteDatabase):
        shutil.copy(source.path, target.path)
    elif isinstance(source, PostgreSQLDatabase) and isinstance(target, PostgreSQLDatabase):
        home = replace(source, name="postgres")
        home.execute(f'DROP DATABASE "{target.name}"')
        home.execute(f'CREATE DATABASE "{target.name}" TEMPLATE "{source.name}"')
    else:
        _, *options, _, name = source.client()
        options = [each for each in options if not each.startswith("--default-character-set")]
        dump = subprocess.run(["mariadb-dump", *options, name], capture_output=True, check=True, env=source.env())
        subprocess.run(target.client(), input=dump.stdout, check=True, env=target.env())


def make_shop(root: Path, database: Database) -> Project:
    """The project."""
    project = Project(root, {"default": database}, extra=SETTINGS)
    root.mkdir(parents=True)
    project.write_files("shop", ())
    after = ""
    for name, operations in HISTORY.items():
        text = MIGRATION.format(after=f'("shop", "{after}")' if after else "", operations=operations)
        write(project.migrations("shop"), {f"{name}.py": text})
        after = name
    write(project.root / "shop", {"models.py": MODELS})
    return project


def mended(case: Case, tool: Tool | None, said: str, wanted: set[tuple[str, str, str]]) -> bool:
    """Do what the tool offers, then migrate."""
    if tool is MIGSYNC:
        _repair(case)
    for statement in re.findall(tool.printed, said, re.MULTILINE) if tool else ():
        case.database.execute(statement)
    if tool and tool.mend:
        case.run(tool, "-c", COMMANDS, json.dumps(tool.mend))
    return not case.project.manage_all(["migrate"])[0].status and wanted <= case.schema()


def _repair(case: Case) -> None:
    """Type `migsync repair`, and what it prints."""
    for _ in range(3):
        told = case.project.migsync("repair", "--accept", "--dry-run", "--format", "json").json
        findings = [each for plan in told["plans"] for each in plan["findings"]]
        case.project.migsync("repair", "--accept", "--noinput")
        facts = [each.get("facts", {}) for each in findings]
        unknown = [each for each in findings if each["code"] in ("perhaps-ran", "unknown-record")]
        for each in unknown:
            case.project.migsync("apply", "--prune", f"{each['app']}.{each['name']}", "--noinput")
        renamed = [
            (each["facts"]["others"][0], missing[1])
            for each in findings
            if each.get("facts", {}).get("others")
            and (missing := re.search(r"table (\w+) is missing", f"{each['found']} {each['meaning']}"))
        ]
        statements = [each for fact in facts for each in fact.get("statements", [])]
        for other, table in renamed:
            case.database.execute(f"ALTER TABLE {other} RENAME TO {table}")
        for statement in statements if not renamed else ():
            case.database.execute(statement)
        if not (unknown or renamed or statements):
            return


def damages(
    make: Callable[[str], Database], engine: str, peers: Path, directory: Path, chosen: Collection[str] = ()
) -> Iterator[list[str]]:
    """A row of cells for each damage, or for the `chosen` ones."""
    stages = Stages(make, engine, peers, directory)
    whole = stages.case("0007", "whole")
    wanted = whole.schema()
    content = {tool: whole.run(tool, *tool.look) for tool in (MIGSYNC, *TOOLS)}
    for tool, answer in content.items():
        (directory / f"{tool.name}.txt").write_text(answer.said)
    for number, (damage, (title, stage, named)) in enumerate(DAMAGES.items()):
        if chosen and damage.__name__ not in chosen:
            continue
        case = stages.case(stage, f"{number}-looked-at")
        damage(case)
        now = {tool: case.run(tool, *tool.look) for tool in (MIGSYNC, *TOOLS)}
        alone = mended(case, None, "", wanted)
        cells = [title, "mended" if alone else ""]
        for tool, answer in now.items():
            (directory / f"{number}-{tool.name}.txt").write_text(answer.said)
            more = answer.beyond(content[tool])
            found = answer.status != content[tool].status or re.search(tool.alarms, more, re.MULTILINE)
            says = re.search(named, more) is not None
            words = ["named" if says else "found"] if found else []
            if (tool is MIGSYNC or tool.mend or re.search(tool.printed, answer.said, re.MULTILINE)) and not alone:
                case = stages.case(stage, f"{number}-{tool.name}")
                damage(case)
                words += ["mended"] if mended(case, tool, answer.said, wanted) else []
            cells.append(", ".join(words))
        yield cells


def products(make: Callable[[str], Database], engine: str, peers: Path, directory: Path) -> Iterator[list[str]]:
    """A row of cells for each product that is there: the alarms of a database that is whole."""
    offered: dict[str, Kind] = {"wagtail and oscar": WAGTAIL_AND_OSCAR, "pretix": kinds()["pretix"]}
    for name, kind in offered.items():
        if not Path(kind.python).exists() or (name == "pretix" and engine == "mysql"):
            continue
        root = directory / name.replace(" ", "-")
        root.mkdir()
        settings = kind.settings + OF_A_PRODUCT
        kind = Kind(kind.packages, settings, kind.python, kind.environment)
        project = make_project(root, {"default": make(engine)}, kind)
        project.manage("migrate", "--noinput", "--skip-checks")
        cells = [name]
        for tool in (MIGSYNC, *TOOLS):
            python = tool.python(peers) if tool.app else kind.python
            ended = subprocess.run(
                [python, *tool.look],
                cwd=root,
                env=os.environ
                | ENVIRONMENT
                | dict(kind.environment)
                | {"PEER_APP": tool.app, "PYTHONPATH": libraries(kind)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            said = re.sub(r"\x1b\[[0-9;]*m", "", ended.stdout)
            (root / f"{tool.name}.txt").write_text(said)
            number = len(re.findall(tool.alarms, said, re.MULTILINE))
            cells.append("fails" if "Traceback" in said else str(number))
        yield cells


def libraries(kind: Kind) -> str:
    """Where the packages of a product are, for the Python of a peer."""
    said = "import json, sysconfig; print(json.dumps(sysconfig.get_paths()['purelib']))"
    ended = subprocess.run([kind.python, "-c", said], capture_output=True, text=True, check=True)
    return os.pathsep.join([str(json.loads(ended.stdout)), *(os.environ.get("PYTHONPATH") or "").split(os.pathsep)])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("peers", type=Path)
    parser.add_argument("--engine", nargs="+", default=["postgresql", "mysql"])
    parser.add_argument("--only", nargs="+", default=["damages", "products"])
    parser.add_argument("--damage", nargs="+", default=[], choices=[each.__name__ for each in DAMAGES])
    parser.add_argument("--directory", type=Path)
    parser.add_argument("--postgresql", default="postgresql://root@127.0.0.1:5432/")
    parser.add_argument("--mariadb", default="mysql://root@127.0.0.1:3306/")
    asked = parser.parse_args()
    peers = asked.peers.resolve()
    with ExitStack() as stack:
        directory = asked.directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = {
            "postgresql": lambda: PostgreSQLDatabases.open(Server.from_url(asked.postgresql, 5432)),
            "mysql": lambda: MySQLDatabases.open(Server.from_url(asked.mariadb, 3306)),
        }
        opened = {name: stack.enter_context(servers[name]()) for name in asked.engine if name in servers}
        made = iter(range(10**6))

        def make(engine: str) -> Database:
            if engine not in opened:
                return SQLiteDatabase(directory / f"database{next(made)}.sqlite3")
            database: Database = stack.enter_context(opened[engine].database())
            return database

        versions = [f"{tool.name} {tool.version(peers)}" for tool in (MIGSYNC, *TOOLS)]
        heads = {"damages": ["", "migrate alone", *versions], "products": ["", *versions]}
        for part, rows in (("damages", damages), ("products", products)):
            for engine in asked.engine if part in asked.only else ():
                place = directory / f"{part}-{engine}"
                place.mkdir(parents=True)
                head = heads[part]
                print(f"\n{part}, {engine}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
                chosen = {"chosen": asked.damage} if part == "damages" else {}
                for cells in rows(make, engine, peers, place, **chosen):
                    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
