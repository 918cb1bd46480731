"""The tables of contents: made with the journal, upgraded from its first version, read without them, never misread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migsync.decoder import DecodeError, load_json
from migsync.errors import TargetError
from migsync.history.contents import Contents, Grade, Operation
from migsync.key import Key
from migsync.sync.apply import Status, apply_plan
from migsync.sync.journal.contents import (
    Event,
    SeenContents,
    as_document,
    document_digest,
    from_document,
    read_contents_seen,
)
from migsync.sync.journal.schema import VERSIONS, upgrade_journal
from migsync.sync.journal.tables import NEWEST
from migsync.sync.target import Target
from tests.databases import Database
from tests.sync.story import filled, story_plan, target_of
from tests.sync.test_journal import schema_of, writing

TABLES = ("migsync_content", "migsync_content_seen")
LOOKS = ("migsync_files", "migsync_source", "migsync_look", "migsync_ran")
CONTENTS = Contents((Operation("AddField", "a" * 32, "b" * 32, "item.größe", "c" * 32, Grade.IMPORTED, True),))
OLDEST = VERSIONS[:1]

operations = st.builds(
    Operation, *[st.text(st.characters(exclude_categories=["Cs"]))] * 5, st.sampled_from(Grade), st.booleans()
)


@given(st.lists(operations, max_size=3))
def test_a_document_holds_all_of_the_contents(found: list[Operation]) -> None:
    contents = Contents(tuple(found))
    document = as_document(contents)
    assert document.isascii()
    assert from_document(load_json(document)) == contents


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ('{"format":2,"operations":[]}', "format"),
        ('{"format":1}', "operations"),
        ('{"format":1,"operations":[{"kind":"AddField"}]}', "is missing"),
        (as_document(CONTENTS).replace('"grade":1', '"grade":9'), "is not a grade"),
    ],
)
def test_a_document_of_another_format_is_refused(document: str, what: str) -> None:
    with pytest.raises(DecodeError, match=what):
        from_document(load_json(document))


def read(target: Target) -> tuple[SeenContents, ...]:
    with writing(target) as connection:
        return read_contents_seen(connection, schema_of(target))


def insert(
    database: Database,
    record: int,
    event: str,
    document: str,
    digest: str = "",
    schema: str = "",
    table: str = "migsync_ran",
) -> None:
    mark = "?" if database.engine == "sqlite" else "%s"
    digest = digest or document_digest(document)
    if not database.execute(f"SELECT 1 FROM migsync_content WHERE digest = '{digest}'"):
        database.execute(f"INSERT INTO migsync_content (digest, document) VALUES ({mark}, {mark})", (digest, document))
    values = {
        "schema_name": schema,
        "record": record,
        "app": "shop",
        "name": "0001_initial",
        "event": event,
        "source": "d" * 64,
        "content": digest,
        "at": "2026-11-20T10:45:00.123456Z",
        **({"moment": "00.123456"} if table == "migsync_ran" else {}),
    }
    marks = ", ".join([mark] * len(values))
    database.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


def test_what_was_seen_comes_back_in_its_order(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        assert read(target) == ()
        apply_plan(target, story_plan(target))
        assert read(target) == ()
        insert(database, 2**40, "applied", as_document(CONTENTS), table="migsync_content_seen")
        insert(database, 3, "unapplied", as_document(Contents()))
        insert(database, 7, "applied", as_document(CONTENTS), schema="another tenant's")
        insert(database, 2**40, "faked", as_document(CONTENTS))
        assert database.execute("SELECT count(*) FROM migsync_content") == [(2,)]
        key, source = Key("shop", "0001_initial"), "d" * 64
        assert read(target) == (
            SeenContents(2**40, key, Event.APPLIED, source, document_digest(as_document(CONTENTS)), dict),
            SeenContents(3, key, Event.UNAPPLIED, source, document_digest(as_document(Contents())), dict, "00.123456"),
            SeenContents(2**40, key, Event.FAKED, source, document_digest(as_document(CONTENTS)), dict, "00.123456"),
        )
        assert [seen.contents for seen in read(target)] == [CONTENTS, Contents(), CONTENTS]


def test_a_damaged_row_is_not_misread(database: Database) -> None:
    filled(database)
    with target_of(database) as target, writing(target) as connection:
        upgrade_journal(connection, schema_of(target))
    for event, document, digest, what in (
        ("forgotten", as_document(CONTENTS), "", "forgotten"),
        ("applied", '{"format":2,"operations":[]}', "", "format is 2"),
        ("applied", as_document(CONTENTS), "e" * 64, "is not the one with this digest"),
    ):
        insert(database, 1, event, document, digest)
        with (
            target_of(database) as target,
            pytest.raises(TargetError, match="cannot be read") as caught,
        ):
            _ = [seen.contents for seen in read(target)]
        assert what in str(caught.value)
        database.execute("DELETE FROM migsync_ran")
    insert(database, 1, "applied", as_document(CONTENTS))
    database.execute("DELETE FROM migsync_content")
    with target_of(database) as target, pytest.raises(TargetError, match="is missing in migsync_content"):
        _ = [seen.contents for seen in read(target)]


@pytest.mark.parametrize("left", [(), TABLES[:1], TABLES, TABLES + LOOKS[:2], TABLES + LOOKS])
def test_an_upgrade_goes_on_where_it_was_interrupted(database: Database, left: tuple[str, ...]) -> None:
    """On MySQL each CREATE commits by itself."""
    filled(database)
    with target_of(database) as target:
        with writing(target) as connection:
            upgrade_journal(connection, schema_of(target), VERSIONS if left else OLDEST)
        for table in TABLES + LOOKS if left else ():
            if table not in left:
                database.execute(f"DROP TABLE {table}")
        database.execute("UPDATE migsync_version SET version_num = '0001'")
        assert target.runs() == ()
        assert read(target) == ()
        assert database.execute("SELECT version_num FROM migsync_version") == [("0001",)], "reading upgrades nothing"
        assert apply_plan(target, story_plan(target)).status is Status.APPLIED
        assert database.execute("SELECT version_num FROM migsync_version") == [(NEWEST,)]
        assert len(target.runs()) == 1
        insert(database, 1, "applied", as_document(CONTENTS))
        assert len(read(target)) == 1
