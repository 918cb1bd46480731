"""Snapshots of many schemas, read by one statement, are those that reading each by itself gives."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace

from migsync.engines.config import DatabaseConfig
from migsync.errors import MigsyncError
from migsync.key import Key
from migsync.sync.apply import apply_plan
from migsync.sync.journal.contents import Event, SeenContents, as_document, document_digest, write_events
from migsync.sync.journal.looks import FileSet, Look, write_look
from migsync.sync.journal.schema import VERSIONS, upgrade_journal
from migsync.sync.plan import Change
from migsync.sync.snapshots import SnapshotReader
from migsync.sync.target import Snapshot, Target, open_target
from migsync.sync.target_pool import TargetPool
from tests.databases import Database, user_of
from tests.sync.story import plan_of
from tests.sync.test_contents import CONTENTS
from tests.sync.test_journal import schema_of, writing

SCHEMAS = ["acme", 'it\'s "odd" 50%', "Größe", "select", "x" * 63, "é" * 31, "a.b", "%s {0}", "pg", "t'; --"]
LOOK = Look(1, 5, 3, "00.123456", "a" * 64, "b" * 64, 0)
DOCUMENT = as_document(CONTENTS)
DIGEST = document_digest(DOCUMENT)
TABLES = ("migsync_run", "migsync_version", "migsync_ran", "migsync_content", "migsync_content_seen", "migsync_look")


def quoted(schema: str) -> str:
    return '"' + schema.replace('"', '""') + '"'


def fill(chance: random.Random, database: Database, schema: str) -> None:
    """A schema with a django_migrations of its own, or with none, and rows that may be odd."""
    place = quoted(schema)
    database.execute(f"CREATE SCHEMA {place}")
    if chance.random() < 0.1:
        return
    database.execute(f"CREATE TABLE {place}.django_migrations (LIKE public.django_migrations)")
    database.execute(f"ALTER TABLE {place}.django_migrations ALTER applied DROP NOT NULL")
    # Few different names, so that schemas share them; and now and then what is refused: an id twice, a line feed.
    odd = chance.choice(["0003_c", "0003_c", "größe\\ \"'", "line\nfeed"])
    ids = chance.choice([[1, 2, 3], [1, 2, 3], [5, 20, 9], [1, 2, 2]])
    for number, name in zip(ids, ["0001_a", "0002_b", odd], strict=True):
        applied = chance.choice(["2026-03-01 10:00:00.5+02", "infinity", None])
        escaped = place.replace("%", "%%")
        database.execute(
            f"INSERT INTO {escaped}.django_migrations VALUES (%s, 'shop', %s, %s)", (number, name, applied)
        )


def keep_journal(chance: random.Random, target: Target) -> None:
    """A journal of some version, or none, with what one of that version can hold."""
    version = chance.randrange(len(VERSIONS) + 2)
    if version <= len(VERSIONS):
        with writing(target) as connection:
            upgrade_journal(connection, schema_of(target), VERSIONS[: max(version, 1)])
    if version < len(VERSIONS):
        return
    records = target.read() or ()
    changes = [Change(records[0], records[0]._replace(name="0001_\\new"), "test")]
    apply_plan(target, plan_of(target.ref, records, changes), reason='\\ "quotes"\n and é')
    key = Key("shop", "0002_b")
    event = SeenContents(2, key, Event.APPLIED, "c" * 64, DIGEST, lambda: {DIGEST: DOCUMENT}, "00.500000")
    with writing(target) as connection:
        write_events(connection, target.behaviour, schema_of(target), [event])
        if chance.random() < 0.5:
            write_look(connection, target.behaviour, schema_of(target), LOOK, FileSet({}))


class ReadAlone(MigsyncError):
    """What could not be read together with others."""


def single(config: DatabaseConfig) -> Snapshot | str:
    with open_target(config) as target:
        try:
            return replace(target.snapshot(), schemas=())
        except MigsyncError as error:
            return error.code


def test_schemas_that_are_read_together_are_as_those_that_are_read_singly(postgresql_database: Database) -> None:
    database = postgresql_database
    database.create_table()
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    with user_of(database) as (user, url):
        entry = DatabaseConfig("tenants", database.url)
        for schema in SCHEMAS:
            fill(chance, database, schema)
            # A table that is refused, or none, gets no journal.
            with open_target(entry.member(schema)) as target, suppress(MigsyncError, IndexError):
                keep_journal(chance, target)
            if chance.random() < 0.8:
                database.execute(f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {user}")
            database.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {quoted(schema)} TO {user}")
            if chance.random() < 0.2:
                database.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {quoted(schema)} FROM {user}")
        configs = [replace(entry, url=url).member(schema) for schema in ["gone", *SCHEMAS]]

        def alone(_: Target) -> tuple[Snapshot, str]:
            raise ReadAlone("")

        with TargetPool(1) as pool:
            for reading in SnapshotReader(pool, alone, (), journaled=True).read_all(configs):
                config, expected = reading.config, single(reading.config)
                snapshot = None if isinstance(reading.target, MigsyncError) else reading.snapshot
                # What can be read at all is read together.
                assert isinstance(snapshot, Snapshot) is (isinstance(expected, Snapshot) and not expected.fresh)
                if snapshot:
                    assert replace(snapshot, schemas=()) == expected, config.alias
                    assert {event.contents for event in snapshot.seen} <= {CONTENTS}
                    with open_target(config) as other:
                        assert pool.open(config).survey == other.survey
