"""Rows that no two runs write alike, and those that differ all the same."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from migsync.proof.rows import compare_data
from migsync.proof.schema import executing
from migsync.proof.scope import ProofScope
from tests.databases import ENGINES
from tests.proof.projects import Site, add_field, migration
from tests.proof.test_transition import NAMES, NUMBER, path, prove, shop

TOKEN = add_field("item", "token", "CharField(max_length=40, default='')")
FILL = """\
    import secrets

    def fill(apps, editor):
        apps.get_model("shop", "Item").objects.create(number=1, sku={sku!r}, token={token})
    """


def filling(sku: str, token: str = "secrets.token_hex()[:30]") -> str:
    head = FILL.format(sku=sku, token=token)
    return migration("migrations.RunPython(fill)", after=[("shop", NAMES[2])], head=head)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (filling("a"), ["In shop_item, two runs of the current files write different values: token."]),
        (
            filling("a", "''"),
            ["The rows of shop_item differ: 1 only with the current files (token='", "In shop_item, two runs"],
        ),
        (
            filling("b"),
            ["The rows of shop_item differ: 1 only with the current files (sku='a', ", "In shop_item, two runs"],
        ),
    ],
    ids=["a token", "no token", "another"],
)
def test_what_is_another_in_each_run(tmp_path, text, found):
    """pretix makes a first user, whose password is salted."""
    site = Site(tmp_path / "site").settings("shop").app("shop", "", shop())
    site.write({path(NAMES[1]): migration(NUMBER, TOKEN, after=[("shop", NAMES[0])]), path(NAMES[3]): filling("a")})
    outcome = prove(
        site, site.propose(site.change(path(NAMES[3]), path(NAMES[3]), text)), ProofScope((), None, data=True)
    )
    said = [finding.found for finding in outcome.findings]
    assert len(said) == len(found), said
    assert all(words.startswith(start) for words, start in zip(said, found, strict=True)), said
    assert any("same rows" in fact.words for fact in outcome.facts) == (len(found) == 1)


def connected(database):
    return sa.create_engine(database.url, poolclass=sa.NullPool).connect()


def compared(old, new) -> list[str]:
    """What is found of two databases."""
    with connected(old) as before, connected(new) as after:
        findings, _ = compare_data(before, after)
    return [finding.found for finding in findings]


@pytest.mark.parametrize("engine", ENGINES)
def test_names_with_a_percent_sign(new_database, engine):
    """SQLite takes a quoted name that it does not know for a text, which is the same in every row."""
    old, new, same = (new_database(engine) for _ in range(3))
    quote = "`" if engine == "mysql" else '"'
    table, column = (f"{quote}{name}{quote}" for name in ("100%s", "a%b"))
    for database, value in ((old, "x"), (new, "y"), (same, "x")):
        database.execute(f"CREATE TABLE {table} ({column} varchar(9), c varchar(9))")
        database.execute(f"INSERT INTO {table} VALUES ('{value}', 'z')")
    assert compared(old, same) == []
    [found] = compared(old, new)
    assert found == (
        "The rows of 100%s differ: 1 only with the current files (a%b='x', c='z') and "
        "1 only with the new files (a%b='y', c='z')."
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_percent_sign_in_a_statement(new_database, engine):
    with connected(new_database(engine)) as connection:
        assert executing(connection)("SELECT '%', '%%', 'a%s', '%(b)s' WHERE 'abc' LIKE 'a%'") == [
            ("%", "%%", "a%s", "%(b)s")
        ]


def test_references_in_another_schema(new_database):
    """Two tables of one name: each row is compared by what it really refers to."""
    old, new, other = (new_database("postgresql") for _ in range(3))
    for database, key, label in ((old, 1, "a"), (new, 2, "a"), (other, 1, "b")):
        database.execute("CREATE SCHEMA audit")
        # The table of the same name has no such column as the reference names.
        database.execute("CREATE TABLE kind (number integer PRIMARY KEY)")
        database.execute("CREATE TABLE audit.kind (id integer PRIMARY KEY, label varchar(9))")
        database.execute("CREATE TABLE audit.entry (kind_id integer REFERENCES audit.kind (id))")
        database.execute("CREATE TABLE entry (kind_id integer REFERENCES audit.kind (id))")
        database.execute("INSERT INTO kind VALUES (7)")
        database.execute(f"INSERT INTO audit.kind VALUES ({key}, '{label}')")
        database.execute(f"INSERT INTO audit.entry VALUES ({key})")
        database.execute(f"INSERT INTO entry VALUES ({key})")
    assert compared(old, new) == []
    assert [found.partition(": ")[0] for found in compared(old, other)] == [
        f"The rows of {table} differ" for table in ("audit.entry", "audit.kind", "entry")
    ]
