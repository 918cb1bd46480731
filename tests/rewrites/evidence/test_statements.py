"""Statements held against what ran and what was noted, where no git is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from migsync.errors import AgainstEvidence
from migsync.history.contents import Contents
from migsync.rewrites.evidence.database import DatabaseEvidence
from migsync.rewrites.evidence.statements import KnownNames, check_statements
from migsync.rewrites.file_state import FileState
from migsync.rewrites.name_changes import NameChanges
from migsync.rewrites.record import Record
from tests.sync.planner.texts import migrations

DISK = FileState("the files on disk", migrations("shop", "0001 0002_b 0003_c"))
RECORDED = [Record(1, "shop", "0001", ""), Record(2, "shop", "0009_b", "")]


def known(*, ran: dict[str, str] | None = None, noted: dict[str, str] | None = None) -> KnownNames:
    digests = ran or {}

    def certain(record: Record) -> Contents | None:
        return cast("Contents", SimpleNamespace(digest=digests[record.name])) if record.name in digests else None

    database = DatabaseEvidence("default", RECORDED, RECORDED, certain=certain)
    return replace(KnownNames.compared(DISK, (), [noted or {}]), databases=[database])


@pytest.mark.parametrize(
    ("found", "source"),
    [
        (known(ran={"0009_b": "digest of 0002_b"}), "what `migrate` ran in the database default"),
        (known(noted={"0009_b": "digest of 0002_b"}), "what migsync noted in a database or in a rewrite"),
    ],
)
def test_what_ran_or_was_noted_disproves_a_statement(found: KnownNames, source: str) -> None:
    with pytest.raises(AgainstEvidence) as caught:
        list(check_statements(NameChanges({"0009_b": "0003_c"}), found))
    assert caught.value.found == "shop.0009_b did not become 0003_c: it is shop.0002_b now."
    assert source in caught.value.meaning
    assert not list(check_statements(NameChanges({"0009_b": "0002_b"}), found))


def test_without_evidence_a_statement_counts() -> None:
    assert not list(check_statements(NameChanges({"0009_b": "0003_c"}), known()))


def test_an_edited_file_may_be_what_was_renamed() -> None:
    """What ran is in no file, so nothing else is proven."""
    assert not list(check_statements(NameChanges({"0009_b": "0003_c"}), known(ran={"0009_b": "another digest"})))


def test_many_statements_are_checked_in_one_pass() -> None:
    class Counted(NameChanges):
        passes = 0

        def olds(self) -> Iterator[str]:
            Counted.passes += 1
            return super().olds()

    disk = FileState("the files on disk", migrations("shop", " ".join(f"{number:04}_new" for number in range(50))))
    stated = Counted({f"{number:04}_old": f"{number:04}_new" for number in range(50)})
    assert len(list(check_statements(stated, KnownNames.compared(disk, (), [])))) == 50
    assert Counted.passes < 5
