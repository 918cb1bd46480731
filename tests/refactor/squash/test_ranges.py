"""A range as a person names it, what stands against it, cycles that are foreseen, and the name of the squash."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from migsync.errors import UsageError
from migsync.history import History, Key, Migration, build_history
from migsync.refactor.squash import ranges
from migsync.refactor.squash.ranges import Range
from migsync.refactor.squash.splits import circle, find_detour, split_at_cycles
from migsync.refactor.squash.squash import choose_range
from tests.profiles import examples
from tests.refactor.projects import make_project
from tests.refactor.squash.graphs import history

LINE = {"shop": "0001_a 0002_b 0003_c 0004_d 0005_e"}
FORK = {"shop": "0001_a 0002_b 0003_c:0002_b 0003_d:0002_b 0004_m:0003_c+0003_d 0005_e"}
ACROSS = {
    "shop": "0001 0002 0003:0002+blog.0001 0004 0005:0004+blog.0002 0006",
    "blog": "0001:shop.0002 0002:shop.0004",
}


def names(keys) -> str:
    return " ".join(key.name for key in keys)


@pytest.mark.parametrize(
    ("apps", "first", "last", "expected"),
    [
        (LINE, "0002", "0004", "0002_b 0003_c 0004_d"),
        (LINE, "0002_b", "0003_c", "0002_b 0003_c"),
        (LINE, "2", "03", "0002_b 0003_c"),
        (FORK, "0002", "0005", "0002_b 0003_c 0003_d 0004_m 0005_e"),
        (FORK, "0002", "0003_d", "0002_b 0003_d"),
        ({"shop": "0001 00011 0002"}, "0001", "0002", "0001 00011 0002"),
    ],
)
def test_a_range_is_all_between_its_ends(apps, first, last, expected):
    assert names(ranges.range_between(history(apps), "shop", first, last)) == expected


@pytest.mark.parametrize(
    ("apps", "first", "last", "words"),
    [
        (LINE, "0009", "0004", "has no migration '0009'"),
        (LINE, "000", "0004", "5 migrations of shop match '000'"),
        (LINE, "0004", "0002", "0002_b comes before shop.0004_d"),
        (LINE, "0002", "0002", "is both the first and the last"),
        (FORK, "0003_c", "0003_d", "does not depend on"),
    ],
)
def test_what_is_no_range(apps, first, last, words):
    with pytest.raises(UsageError) as raised:
        ranges.range_between(history(apps), "shop", first, last)
    assert words in raised.value.found


@pytest.mark.parametrize(
    ("apps", "attributes", "first", "last", "code", "words"),
    [
        (FORK, {}, "0003_c", "0005", "open-range", "shop.0004_m also depends on shop.0003_d"),
        (LINE, {"shop_0003_c": {"replaces": (Key("shop", "0000_x"),)}}, "0002",
         "0004", "unfinished-squash", "still has `replaces`"),
        ({"shop": "0001 0002 0003 0002_s:0001"}, {"shop_0002_s": {"replaces": (Key("shop", "0003"),)}}, "0001",
         "0003", "unfinished-squash", "still replaces shop.0003"),
        (ACROSS, {}, "0002", "0006", "cycle-foreseen",
         "shop.0002_squashed_0006 would depend on itself, through blog.0001."),
    ],
)  # fmt: skip
def test_a_range_that_is_refused(apps, attributes, first, last, code, words):
    choice = choose_range(history(apps, **attributes), (), "shop", first, last)
    assert [found.code for found in choice.findings] == [code]
    assert words in choice.findings[0].found
    assert choice.blocked


def test_the_message_says_where_to_split_and_split_does_it():
    made = history(ACROSS)
    (found,) = choose_range(made, (), "shop", "0001", "0006").findings
    assert found.meaning.startswith("blog.0001 depends on shop.0002, and shop.0003 depends on blog.0001.\n")
    assert found.hint.splitlines() == [
        "Squash the range in parts: migsync squash shop 0001 0006 --split",
        "The same, one part at a time:",
        "migsync squash shop 0001 0002",
        "migsync squash shop 0003 0004",
        "migsync squash shop 0005 0006",
    ]
    choice = choose_range(made, (), "shop", "0001", "0006", in_parts=True)
    assert [(names(each.keys), each.squash.name) for each in choice.ranges] == [
        ("0001 0002", "0001_squashed_0002"),
        ("0003 0004", "0003_squashed_0004"),
        ("0005 0006", "0005_squashed_0006"),
    ]
    assert not choice.blocked


def test_a_range_of_which_every_part_is_one_migration_is_no_squash():
    made = history({"shop": "0001 0002:0001+blog.0001", "blog": "0001:shop.0001"})
    choice = choose_range(made, (), "shop", "0001", "0002", in_parts=True)
    assert [found.code for found in choice.findings] == ["nothing-to-squash"]


def test_the_squash_has_a_name_that_was_never_used():
    made = history(LINE)
    keys = ranges.range_between(made, "shop", "0002", "0004")
    used = {Key("shop", "0002_Squashed_0004_d"), Key("shop", "0002_squashed_0004_d_2"), Key("blog", "x")}
    assert ranges.squash_key(made, keys, used).name == "0002_squashed_0004_d_3"
    assert ranges.squash_key(made, keys, used, "prices").name == "0002_prices"
    assert ranges.squash_key(made, keys, used, "0007_prices").name == "0007_prices"
    choice = choose_range(made, [Key("shop", "0002_b2")], "shop", "0002", "0004", name="b2")
    assert [found.code for found in choice.findings] == ["squash-name-taken"]


def together(made: History, parts: list[list[Key]]) -> History:
    """The history with one migration in the place of each part, in dependencies and in `run_before` alike."""
    stands = {key: part[0] for part in parts for key in part}
    found: dict[Key, set[Key]] = {}
    for key in made.migrations:
        now = stands.get(key, key)
        found.setdefault(now, set()).update(stands.get(up, up) for up in made.parents(key))
    return build_history(Migration(key, dependencies=tuple(ups - {key})) for key, ups in found.items())


@settings(max_examples=examples(60, 300), deadline=None)
@given(st.integers(4, 40), st.integers(0, 2**32), st.data())
def test_cycles_are_foreseen_and_split_makes_the_fewest_parts(size: int, seed: int, data: st.DataObject) -> None:
    made = make_project(random.Random(seed), size, merges=True, squashes=False).history
    app = data.draw(st.sampled_from(sorted({key.app for key in made.migrations})))
    chain = list(itertools.islice((Key(app, name) for name in made.names(app)), 9))
    assume(len(chain) > 1)
    # Whether it is one range for a person is no matter here: any keys in the graph's order are split.
    detour = find_detour(made, chain)
    assert bool(detour) == bool(together(made, [chain]).cycle)
    for up, down in itertools.pairwise(detour):
        assert up in made.parents(down)
    if detour:
        assert detour[0] in chain
        assert detour[-1] in chain
        assert not set(detour[1:-1]) & set(chain)
    parts = [list(part) for part in split_at_cycles(made, chain)]
    assert [key for part in parts for key in part] == chain
    assert not together(made, parts).cycle
    fewest = min(
        number + 1
        for number in range(len(chain))
        for cuts in itertools.combinations(range(1, len(chain)), number)
        if not together(made, [chain[i:j] for i, j in itertools.pairwise([0, *cuts, len(chain)])]).cycle
    ) if len(chain) < 7 else len(parts)  # fmt: skip
    assert len(parts) == fewest


def test_one_range_is_one_range():
    keys = (Key("shop", "0001_a"), Key("shop", "0002_b"))
    assert circle(history(LINE), Range(keys, Key("shop", "0001_squashed_0002_b"))) is None
