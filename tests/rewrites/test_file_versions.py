"""Which versions of a file may have run at a moment, by the times of commits, of which git keeps whole seconds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from migsync.rewrites.file_versions import DELETED, FileVersion, fitting

TENTHS = st.integers(0, 60)


@given(st.lists(st.tuples(TENTHS, st.booleans()), min_size=1, max_size=6), TENTHS)
def test_what_a_server_ran_is_among_what_fits(commits: list[tuple[int, bool]], applied: int) -> None:
    """A server runs what was committed last, to the tenth of a second; a commit may delete the file."""
    versions, there = [], ""
    for number, (tenth, deleted) in enumerate(sorted(commits)):
        blob = DELETED if deleted else f"v{number}"
        versions.append(FileVersion(blob, tenth // 10, tenth // 10))
        if tenth <= applied:
            there = blob
    found = fitting(versions[::-1], applied / 10, applied / 10)
    assert there == DELETED or there in found


def test_of_one_second_every_version_fits_and_the_one_before_it() -> None:
    first, second, third = (FileVersion(blob, at, at) for blob, at in (("v1", 50), ("v2", 100), ("v3", 100)))
    assert fitting([third, second, first], 100.4, 100.4) == ("v1", "v3", "v2")
    assert fitting([third, second], 100.4, 100.4) == ("v3", "v2")
    assert fitting([third, second, first], 99.9, 99.9) == ("v1",)
    assert fitting([third, second, first], 101.0, 101.0) == ("v3",)
