"""Which share of the databases a machine works on."""

from __future__ import annotations

from collections import Counter

import pytest

from migsync.cli.shard import parse_shard
from migsync.shard import Shard

pytestmark = pytest.mark.pure

KUBERNETES = {"JOB_COMPLETION_INDEX": "0"}
GITLAB = {"CI_NODE_INDEX": "3", "CI_NODE_TOTAL": "4"}


@pytest.mark.parametrize(
    ("text", "environment", "shard"),
    [
        ("1/1", {}, "1/1"),
        ("3/8", KUBERNETES, "3/8"),
        ("auto/8", KUBERNETES, "1/8"),
        ("auto", GITLAB, "3/4"),
        ("auto", {"CIRCLE_NODE_INDEX": "3", "CIRCLE_NODE_TOTAL": "4"}, "4/4"),
        ("auto", {"BUILDKITE_PARALLEL_JOB": "0", "BUILDKITE_PARALLEL_JOB_COUNT": "4"}, "1/4"),
    ],
)
def test_a_shard_is_stated_or_read(text: str, environment: dict[str, str], shard: str) -> None:
    assert str(parse_shard(text, environment)) == shard


@pytest.mark.parametrize(
    ("text", "environment", "said"),
    [
        ("0/8", {}, "is not I/N"),
        ("8", {}, "is not I/N"),
        ("3/8\n", {}, "is not I/N"),
        ("9/8", {}, "There is no shard 9 of 8"),
        ("auto", {}, "none is set"),
        ("auto", KUBERNETES, "auto/N"),
        ("auto/2", {"JOB_COMPLETION_INDEX": "2"}, "There is no shard 3 of 2"),
        ("auto", {**GITLAB, "CI_NODE_TOTAL": "four"}, "CI_NODE_TOTAL is 'four'"),
        ("auto", {**GITLAB, "CI_NODE_INDEX": "0"}, "There is no shard 0 of 4"),
    ],
)
def test_what_cannot_be_meant(text: str, environment: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_shard(text, environment)


def test_every_target_is_in_one_shard_and_shards_are_of_a_size() -> None:
    aliases = [f"tenants:t{number}" for number in range(8_000)]
    held = Counter(number for number in range(1, 9) for alias in aliases if Shard(number, 8).holds(alias))
    assert held.total() == len(aliases)
    assert all(900 < size < 1100 for size in held.values())
    # The same in every version: machines of one job may run different ones.
    assert [Shard(1, 2).holds(alias) for alias in ("default", "tenants:acme")] == [False, False]
