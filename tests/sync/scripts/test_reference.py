"""sql/ holds, byte for byte, what migsync emits."""

from __future__ import annotations

from tests.sync.scripts.regenerate import SQL, references


def test_the_reference_scripts_are_what_migsync_emits() -> None:
    there = {path.relative_to(SQL).as_posix(): path.read_bytes() for path in SQL.glob("*/*.sql")}
    assert there == {path: text.encode("ascii") for path, text in references().items()}, (
        "write them anew with: python -m tests.sync.scripts.regenerate"
    )
