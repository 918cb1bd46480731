"""Differences between databases that other versions of Django or other people made, and that are none."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pytest

from migsync.engines import engine_named
from migsync.engines.catalog import PartRow, catalog_of
from migsync.engines.sqlite.catalog import parts

COLUMNS = {
    "postgresql": [
        ("bigint NOT NULL IDENTITY", "bigint NOT NULL DEFAULT nextval()", True),
        ("integer NOT NULL IDENTITY", "bigint NOT NULL IDENTITY", False),
        ("character varying(9) NOT NULL", "character varying(9) COLLATE german NOT NULL", True),
        ("character varying(9) NOT NULL", "character varying(9) NULL", False),
        ("integer NULL", "integer NULL -- STATISTICS 500 a comment", True),
        ("integer NULL", "integer NULL GENERATED (a + 1)", False),
    ],
    "mysql": [
        ("uuid not null", "char(32) not null", True),
        ("datetime(6) not null", "datetime not null", True),
        ("int(11) not null auto_increment", "int not null auto_increment", True),
        ("varchar(9) not null", "varchar(9) character set latin1 collate latin1_bin not null comment 'It''s'", True),
        ("varchar(9) not null", "varchar(8) not null", False),
        ("int(11) default null", "int(11)", True),
        ("int unsigned not null", "int not null", False),
        ("int(10) unsigned not null", 'int(10) unsigned not null check("a" > = 0)', True),
        ("int(10) unsigned not null", 'int(10) unsigned not null check("a" > = 1)', False),
    ],
    "sqlite": [
        ("varchar(9) not null", 'varchar(9) not null collate "nocase"', True),
        ("integer not null", "integer", False),
        ("integer", "text", False),
    ],
}


@pytest.mark.parametrize(
    ("engine", "one", "other", "same"), [(engine, *each) for engine, found in COLUMNS.items() for each in found]
)
def test_columns(engine: str, one: str, other: str, same: bool) -> None:
    catalogs = [
        catalog_of(engine_named(engine).comparable([("column", "item", "a", definition)]))
        for definition in (one, other)
    ]
    assert (catalogs[0] == catalogs[1]) is same


@pytest.mark.parametrize(
    ("engine", "definition"),
    [
        ("postgresql", "integer NOT NULL DEFAULT 7"),
        ("mysql", "int(11) not null default 7 check (`a` > 0)"),
        ("sqlite", "integer not null default 7"),
    ],
)
def test_a_default_is_a_part_of_its_own(engine: str, definition: str) -> None:
    found = list(engine_named(engine).comparable([("column", "item", "a", definition)]))
    assert ("default", "item", "a", "7") in found
    assert all("efault" not in said for kind, _, _, said in found if kind == "column")


def test_a_unique_column_on_sqlite() -> None:
    """Django has written it in each of these ways."""
    rows = [
        [("column", "item", "a", "varchar(9) not null unique")],
        [("column", "item", "a", "varchar(9) not null"), ("unique constraint", "item", "", 'unique ("a")')],
        [("column", "item", "a", "varchar(9) not null"), ("index", "item", "item_a_1234abcd_uniq", 'unique ("a")')],
    ]
    first, *others = [catalog_of(engine_named("sqlite").comparable(each)) for each in rows]
    assert all(each == first for each in others)


def test_the_index_of_a_constraint_on_postgresql() -> None:
    rows = [("unique constraint", "item", "own", "UNIQUE (a)"), ("index", "item", "own", "UNIQUE USING btree (a)")]
    assert [kind for kind, *_ in engine_named("postgresql").comparable(rows)] == ["unique constraint"]


@pytest.mark.parametrize(("others", "same"), [(("item_id", "maker_id"), True), (("item_id", "name"), False)])
@pytest.mark.parametrize(
    ("engine", "one", "other"),
    [
        ("postgresql", "integer NOT NULL DEFAULT nextval()", "bigint NOT NULL IDENTITY"),
        ("mysql", "int(11) not null auto_increment", "bigint(20) not null auto_increment"),
    ],
)
def test_the_id_of_a_link_table(engine: str, one: str, other: str, others: tuple[str, str], same: bool) -> None:
    """DEFAULT_AUTO_FIELD changes what Django makes for a ManyToManyField, and none that is there."""
    catalogs = [
        catalog_of(
            engine_named(engine).comparable(
                [("column", "links", "id", definition), *(("column", "links", name, "bigint") for name in others)]
            )
        )
        for definition in (one, other)
    ]
    assert (catalogs[0] == catalogs[1]) is same


def test_a_partitioned_table() -> None:
    rows = [("table", "item", "item", "p RANGE (made)"), ("grants", "item", "", "SELECT TO PUBLIC")]
    assert list(engine_named("postgresql").comparable(rows)) == [("table", "item", "item", "partitioned")]
    options = [("table", "item", "item", ""), ("table options", "item", "", "engine = innodb partition by range (a)")]
    assert list(engine_named("mysql").comparable(options)) == [("table", "item", "item", "partitioned")]


@pytest.mark.pure
@pytest.mark.parametrize(
    ("by_hand", "same"),
    [
        ("(name)", True),
        ("( Name , size DESC)", False),
        ("(name, size)", False),
        ("(lower(name))", False),
        ("(name) WHERE size > 1", False),
    ],
)
def test_an_index_of_sqlite_that_was_made_by_hand(by_hand: str, same: bool) -> None:
    """People leave the quotes out, and Django does not."""

    def index(columns: str) -> Sequence[PartRow]:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute("CREATE TABLE item (name text, size integer)")
            connection.execute(f"CREATE INDEX x ON item {columns}")
            return [each for each in parts(connection.execute) if each[0] == "index"]

    assert (index('("name")') == index(by_hand)) == same


@pytest.mark.pure
def test_quotes_of_several_columns_do_not_matter() -> None:
    statements = ['CREATE INDEX x ON item ("name" DESC, "size")', "create index x on item(name desc, size)"]
    found = []
    for each in statements:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute("CREATE TABLE item (name text, size integer)")
            connection.execute(each)
            found.append([part for part in parts(connection.execute) if part[0] == "index"])
    assert found[0] == found[1]
