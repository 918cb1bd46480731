"""`applied` and names travel unchanged, whatever they are: through a removal, a rename, and the undo of both."""

from __future__ import annotations

import pytest

from migsync.errors import Blocked, TargetError
from migsync.sync.apply import apply_plan
from migsync.sync.plan import Change
from migsync.sync.target import Target
from migsync.sync.undo import plan_undo
from tests.conftest import NewDatabase
from tests.databases import Database
from tests.sync.story import filled, plan_of, rename, target_of

STORED = "SELECT id, app, name, applied, typeof(applied), quote(applied) FROM django_migrations ORDER BY id"


def there_and_back(database: Database) -> None:
    """Rename every other row and remove the rest, then undo; everything must be as it was."""
    before = database.dump()
    with target_of(database) as target:
        records = target.read() or ()
        changes = [
            rename(record, f"{record.name[:240]}_{number}") if number % 2 else Change(record, None)
            for number, record in enumerate(records)
        ]
        apply_plan(target, plan_of(target.ref, records, changes))
        assert len(database.dump()) == len(before) // 2
        take_back(target)
    assert database.dump() == before


def take_back(target: Target) -> None:
    runs = target.runs()
    apply_plan(target, plan_undo(target.ref, runs[-1], target.read() or (), runs))


def twice(values: list[str]) -> list[str]:
    """Each value for a row that is renamed and for one that is removed."""
    return [value for value in values for _ in range(2)]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("timestamp with time zone", ["infinity", "-infinity", "0001-01-01 00:00:00+00", "2026-03-29 02:30:00+02"]),
        ("timestamp with time zone", ["294276-12-31 23:59:59.999999+00", "2026-01-01 10:00:00.1+00", "0044-03-15 BC"]),
        ("timestamp without time zone", ["infinity", "2026-10-25 02:30:00", "2026-01-01 10:00:00.000001"]),
        ("timestamp(0) with time zone", ["2026-01-01 10:00:00+00"]),
        ("text", ["2026-01-01T10:00:00+02:00", "", "%s"]),
    ],
)
def test_postgresql_values(postgresql_database: Database, kind: str, values: list[str]) -> None:
    database = postgresql_database
    database.execute(database.table.replace("timestamp with time zone", kind))
    # Neither the server's zone nor its style is that of the texts.
    name = database.execute("SELECT current_database()")[0][0]
    database.execute(f"ALTER DATABASE {name} SET TimeZone = 'Europe/Berlin'")
    database.execute(f"ALTER DATABASE {name} SET DateStyle = 'German'")
    database.insert([(n, "shop", f"{n:04}", value) for n, value in enumerate(twice(values), start=1)])
    there_and_back(database)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("datetime(6)", ["2026-01-01 10:00:00.000001", "0000-00-00 00:00:00", "1000-01-01 00:00:00"]),
        ("datetime", ["2026-01-01 10:00:00", "0000-00-00 00:00:00", "2026-02-00 00:00:00"]),
        ("timestamp(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)", ["2026-01-01 10:00:00.5"]),
        ("timestamp(6) NULL", ["2026-03-29 00:30:00.5", "2026-10-25 01:30:00", "1971-01-01 00:00:01"]),
    ],
)
def test_mysql_values(mysql_database: Database, kind: str, values: list[str]) -> None:
    mysql_database.execute(mysql_database.table.replace("datetime(6)", kind))
    rows = [f"({n}, 'shop', '{n:04}', '{value}')" for n, value in enumerate(twice(values), start=1)]
    with_mode = "SET STATEMENT sql_mode = 'ALLOW_INVALID_DATES' FOR INSERT INTO django_migrations VALUES "
    mysql_database.execute(with_mode + ", ".join(rows))
    there_and_back(mysql_database)


@pytest.mark.parametrize("kind", ["datetime NOT NULL", "datetime", "text", "timestamp", ""])
def test_sqlite_values(sqlite_database: Database, kind: str) -> None:
    database = sqlite_database
    database.execute(database.table.replace("datetime NOT NULL", kind))
    values = ["'2026-01-01 10:00:00'", "'2026-01-01T10:00:00+02:00'", "'2026-01-01 10:00:00.000000'", "''", "'x%s:y'"]
    if kind in ("datetime", "timestamp"):
        values.append("NULL")
    if "date" in kind or "time" in kind:
        values += ["1767261600", "'2026'", "0", "-5", "9223372036854775807"]
    rows = [f"({n}, 'shop', '{n:04}', {value})" for n, value in enumerate(twice(values), start=1)]
    database.execute(f"INSERT INTO django_migrations VALUES {', '.join(rows)}")
    stored = database.execute(STORED)
    there_and_back(database)
    assert database.execute(STORED) == stored


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [("datetime", "1.5", "real"), ("datetime", "x'32303236'", "blob"), ("", "1767261600", "integer")],
)
def test_sqlite_values_that_could_not_be_written_back(
    sqlite_database: Database, kind: str, value: str, said: str
) -> None:
    database = sqlite_database
    database.execute(database.table.replace("datetime NOT NULL", kind))
    database.execute(f"INSERT INTO django_migrations VALUES (1, 'shop', '0001', {value}), (2, 'shop', '0002', {value})")
    stored = database.execute(STORED)
    with target_of(database) as target:
        records = target.read() or ()
        with pytest.raises(Blocked, match=f"stored as {said}"):
            apply_plan(target, plan_of(target.ref, records, [Change(records[0], None)]))
        assert database.execute(STORED) == stored
        # A rename does not touch the value.
        apply_plan(target, plan_of(target.ref, records, [rename(records[1], "0003")]))
        take_back(target)
    assert database.execute(STORED) == stored


NAMES = [
    "0001_100%_sure_%s_%(x)s",
    '0002_it\'s "quoted" `so`',
    "0003_back\\slash\\",
    "0004_größe_日本語_🎉",
    "0005_:colon ::x",
    "0006_trailing ",
    "0006_trailing",
    "0007_Case",
    "0007_case",
    "0008_é",
    "0008_e\u0301",
    "0009;-- DROP TABLE",
    "0010_" + "x" * 235,
    "0011_$1 $$ ?",
]


def test_odd_names(database: Database) -> None:
    database.create_table()
    rows = [(name, n) for n, name in enumerate(twice(NAMES), start=1)]
    database.insert([(n, "shop's" if n % 2 else "Shop", name, "2026-01-01 10:00:00") for name, n in rows])
    there_and_back(database)
    before = database.dump()
    with target_of(database) as target:
        records = target.read() or ()
        # Swaps, so that every odd name is also written by an UPDATE.
        swapped = [rename(one, other.name) for one, other in zip(records, reversed(records), strict=True)]
        apply_plan(target, plan_of(target.ref, records, swapped))
        assert [row[2] for row in database.dump()] == [row[2] for row in reversed(before)]
        take_back(target)
    assert database.dump() == before


@pytest.mark.parametrize("name", ["0001_\x1b[31mred", "0001_\ttab", "0001_\x85"])
def test_a_control_character_in_a_row_is_refused(database: Database, name: str) -> None:
    database.create_table()
    database.insert([(3, "shop", name, "2026-01-01 10:00:00")])
    with target_of(database) as target, pytest.raises(TargetError, match=r"Row 3 .* control character") as caught:
        target.read()
    assert name not in str(caught.value)


def test_sqlite_names_longer_than_django_allows(sqlite_database: Database) -> None:
    sqlite_database.create_table()
    sqlite_database.insert([(3, "shop", "x" * 256, "2026-01-01 10:00:00")])
    with target_of(sqlite_database) as target, pytest.raises(TargetError, match="256 characters"):
        target.read()


def test_sqlite_names_that_are_no_text(sqlite_database: Database) -> None:
    sqlite_database.create_table()
    sqlite_database.execute("INSERT INTO django_migrations VALUES (3, 'shop', x'00ff', '2026-01-01')")
    with target_of(sqlite_database) as target, pytest.raises(TargetError, match="is not text"):
        target.read()


def test_ids_that_are_none(sqlite_database: Database) -> None:
    sqlite_database.execute("CREATE TABLE django_migrations (id integer, app text, name text, applied datetime)")
    sqlite_database.execute("INSERT INTO django_migrations VALUES (1, 'a', 'b', 'c'), (1, 'a', 'c', 'c')")
    with target_of(sqlite_database) as target, pytest.raises(TargetError, match="id 1"):
        target.read()


def test_mysql_with_an_old_character_set(new_database: NewDatabase) -> None:
    database = new_database("mysql")
    database.execute("ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_swedish_ci")
    filled(database)
    with target_of(database) as target:
        records = target.read() or ()
        apply_plan(target, plan_of(target.ref, records, [rename(records[0], "0001_größe")]), reason="日本語")
        assert (target.read() or ())[0].name == "0001_größe"
        assert target.runs()[0].reason == "日本語"
