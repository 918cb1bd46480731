"""The page of error messages: complete, as Django and the drivers print them, and with the answers of doctor."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from migsync.doctor.diagnosis import diagnose
from migsync.doctor.message import Message, MessageKind, read_message
from migsync.errors import HistoryError
from migsync.findings.pages import pages
from migsync.project import find_project
from migsync.sync.plan_request import PlanRequest
from migsync.sync.survey import survey
from tests.databases import Database
from tests.pitfalls.project import File, Project

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "error-messages.md"
LABELS = ["**How you get there.**", "**How to see it.**", "**What to type.**", "**Answers of doctor:**"]
ANYWHERE = {"apply-first", "not-seen-here"}
K = MessageKind
FILES = (
    File("0001_initial", ("create Item",)),
    File("0002_price", ("add Item.price",), (("shop", "0001_initial"),)),
    File("0003_order", ("create Order",), (("shop", "0002_price"),)),
)
OBJECTS = {K.TABLE_EXISTS, K.TABLE_MISSING, K.COLUMN_EXISTS, K.COLUMN_MISSING, K.INDEX_EXISTS, K.INDEX_MISSING}
GRAPH = {K.INCONSISTENT_HISTORY, K.MISSING_PARENT, K.CONFLICT, K.CYCLE, K.UNREADABLE}


@dataclass(frozen=True)
class Section:
    title: str
    text: str

    @property
    def messages(self) -> list[str]:
        return [text for _, text in re.findall(r"^\| [\w, ]+ \| (`+)(.+)\1 \|$", self.text, re.MULTILINE)]

    @property
    def kinds(self) -> set[MessageKind]:
        # PostgreSQL calls tables and indexes relations.
        return {read(text).kind for text in self.messages if not text.startswith("relation ")}

    @property
    def codes(self) -> set[str]:
        return set(re.findall(r"\[`([\w-]+)`\]\(findings/\1\.md\)", self.text))


@cache
def sections() -> list[Section]:
    _, *parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [Section(*part.split("\n", 1)) for part in parts]


def read(text: str) -> Message:
    found = read_message(text)
    assert found, text
    return found


@pytest.mark.pure
def test_every_kind_has_a_section() -> None:
    told = [kind for section in sections() for kind in section.kinds]
    assert sorted(told) == sorted(MessageKind)


@pytest.mark.pure
@pytest.mark.parametrize("section", sections(), ids=lambda section: section.title)
def test_a_section_is_whole(section: Section) -> None:
    assert re.findall(r"^\*\*.+?\*\*", section.text, re.MULTILINE) == LABELS
    assert section.codes
    assert section.codes <= pages().keys()


# What is printed for each is on the page.
SETUP = [
    "CREATE TABLE shop_item (id integer PRIMARY KEY, name varchar(30) NOT NULL, sku varchar(30), note varchar(9) NULL)",
    "CREATE UNIQUE INDEX {sku} ON shop_item (sku)",
    "CREATE INDEX shop_item_name ON shop_item (name)",
    "INSERT INTO shop_item VALUES (1, 'a', 'x', NULL)",
    "INSERT INTO shop_item VALUES (2, 'a', 'y', NULL)",
]
FAULTY = {
    "sqlite": [
        "CREATE TABLE shop_item_name (id integer)",
        "SELECT * FROM shop_order",
        "SELECT shop_item.price FROM shop_item",
        "INSERT INTO shop_item (price) VALUES (1)",
        "CREATE INDEX shop_item_name ON shop_item (sku)",
        "DROP INDEX shop_item_x",
        "INSERT INTO shop_item VALUES (3, 'b', 'x', NULL)",
    ],
    "postgresql": [
        "CREATE TABLE shop_item (id integer)",
        "SELECT * FROM shop_order",
        "DROP TABLE shop_order",
        "SELECT shop_item.price FROM shop_item",
        "INSERT INTO shop_item (price) VALUES (1)",
        "CREATE INDEX shop_item_name ON shop_item (sku)",
        "DROP INDEX shop_item_x",
        "ALTER TABLE shop_item DROP CONSTRAINT shop_item_x",
        "INSERT INTO shop_item VALUES (3, 'b', 'x', NULL)",
        "CREATE UNIQUE INDEX shop_item_name_uniq ON shop_item (name)",
        "ALTER TABLE shop_item ADD CONSTRAINT shop_order_item_id_fk FOREIGN KEY (name) REFERENCES shop_item (id)",
        "ALTER TABLE shop_item ADD FOREIGN KEY (name) REFERENCES shop_item (note)",
        "ALTER TABLE shop_item ALTER sku TYPE integer",
        "INSERT INTO shop_item VALUES (7, 'b', 'q', '0123456789')",
        "INSERT INTO shop_item VALUES (70000000000, 'b', 'q', '1')",
        "CREATE TABLE shop_ci (a citext)",
        "CREATE INDEX shop_trgm ON shop_item USING gin (sku)",
        "CREATE INDEX shop_trgm ON shop_item USING gin (sku gin_trgm_ops)",
        'FETCH 1 FROM "_django_curs_140_1"',
    ],
    "mysql": [
        "CREATE TABLE shop_item (id integer)",
        "SELECT * FROM shop_order",
        "DROP TABLE shop_order",
        "SELECT shop_item.price FROM shop_item",
        "CREATE INDEX shop_item_name ON shop_item (sku)",
        "DROP INDEX shop_item_x ON shop_item",
        "ALTER TABLE shop_item DROP COLUMN price",
        "CREATE INDEX shop_i ON shop_item (price)",
        "INSERT INTO shop_item VALUES (3, 'b', 'x', NULL)",
        "INSERT INTO shop_item VALUES (7, 'b', 'q', '0123456789')",
        "INSERT INTO shop_item VALUES (70000000000, 'b', 'q', '1')",
    ],
}


def test_the_drivers_print_what_the_page_says(database: Database) -> None:
    sku = {"postgresql": "shop_item_sku_key"}.get(database.engine, "sku")
    shown = [text for section in sections() for text in section.messages]
    for statement in SETUP:
        database.execute(statement.format(sku=sku))
    name = re.escape(str(database.django["NAME"]))
    for statement in FAULTY[database.engine]:
        with pytest.raises(Exception) as raised:
            database.execute(statement)
        printed = re.sub(rf"\b{name}\.", "db.", str(raised.value).splitlines()[0])
        assert printed in shown, statement


@pytest.fixture
def project(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Its database says that nothing but the first migration ran, and has no table of it."""
    project = Project(tmp_path / "project", {"default": sqlite_database})
    project.root.mkdir()
    project.write_files("shop", FILES)
    # Without manage.py and settings migsync reads the files alone, and starts no process.
    (project.root / "manage.py").unlink()
    (project.root / "pyproject.toml").write_text(
        f'[tool.migsync.databases.default]\nurl = "{sqlite_database.url}"\n'
        '[tool.migsync.apps]\nshop = "shop/migrations"\n'
    )
    sqlite_database.create_table()
    record(sqlite_database, "0001_initial")
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    return project


def record(database: Database, name: str) -> None:
    database.execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', ?, '2026-01-01 00:00:00')", (name,)
    )


def answers(kinds: Collection[MessageKind] = MessageKind) -> dict[str, set[str]]:
    """By section of these kinds, the codes that doctor answers to its messages."""
    found: dict[str, set[str]] = {}
    with survey(find_project(), PlanRequest(), needs_database=False) as seen:
        for section in sections():
            if section.kinds.isdisjoint(kinds):
                continue
            told = [diagnose(seen, read(text)).every for text in section.messages]
            found[section.title] = {each.code for findings in told for each in findings} - ANYWHERE
    return found


def test_doctor_answers_what_the_page_says(project: Project) -> None:
    found = answers()
    for section in sections():
        told = found[section.title]
        if section.kinds <= OBJECTS:  # one or the other, as the database is
            assert told, section.title
            assert told <= section.codes, section.title
        elif not section.kinds & (GRAPH | {K.SEQUENCE}):  # a sequence is of PostgreSQL
            assert told == section.codes, section.title


def test_doctor_answers_what_the_page_says_of_files_and_records(project: Project) -> None:
    record(project.databases["default"], "0003_order")
    project.write_files(
        "clash", [File("0001_a"), *(File(name, (), (("clash", "0001_a"),)) for name in ("0002_b", "0002_c"))]
    )
    list_app(project, "clash")
    found = told_of_graph()
    project.write_files("gone", [File("0001_a", (), (("gone", "0000_x"),))])
    project.write_files("ring", [File("0001_a", (), (("ring", "0002_b"),)), File("0002_b", (), (("ring", "0001_a"),))])
    list_app(project, "gone")
    list_app(project, "ring")
    found |= told_of_graph()
    # A file without a class Migration ends every command: test_a_file_that_cannot_be_read.
    assert found == {code for section in sections() if section.kinds & GRAPH - {K.UNREADABLE} for code in section.codes}


def list_app(project: Project, app: str) -> None:
    with (project.root / "pyproject.toml").open("a") as settings:
        settings.write(f'{app} = "{app}/migrations"\n')


def told_of_graph() -> set[str]:
    return {code for codes in answers(GRAPH).values() for code in codes}


def test_a_file_that_cannot_be_read(project: Project) -> None:
    (project.root / "shop" / "migrations" / "0004_empty.py").write_text("")
    with pytest.raises(HistoryError) as raised:
        answers()
    (section,) = (each for each in sections() if K.UNREADABLE in each.kinds)
    assert raised.value.code in section.codes
