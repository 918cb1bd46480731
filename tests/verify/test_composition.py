"""What the traces of migrations say of a catalog, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migsync.engines.catalog import Part
from migsync.key import Key
from migsync.verify.composition import PartState, State, judge
from migsync.worker.migration_traces import MigrationTrace

TABLE = Part("table", "item", "item")
NAME, PRICE = Part("column", "item", "name"), Part("column", "item", "price")
UNNAMED = Part("index", "item", "(price)")


def key(number: int) -> Key:
    return Key("shop", f"000{number}")


def trace(number: int, changes: dict[Part, str | None]) -> MigrationTrace:
    return MigrationTrace(key(number), tuple((*part, definition) for part, definition in changes.items()))


TRACES = (
    trace(1, {TABLE: "", NAME: "text"}),
    trace(2, {PRICE: "integer", UNNAMED: "1"}),
    trace(3, {PRICE: "bigint"}),
    trace(4, {}),
    trace(5, {NAME: None}),
)
P, A, H, N, U = State.PRESENT, State.ABSENT, State.PARTIAL, State.NO_TRACE, State.UNKNOWN
AFTER_3 = {TABLE: "", NAME: "text", PRICE: "bigint", UNNAMED: "1"}


def without(*parts: Part) -> dict[Part, str]:
    return {part: definition for part, definition in AFTER_3.items() if part not in parts}


@pytest.mark.parametrize(
    ("recorded", "live", "states"),
    [
        (3, AFTER_3, [P, P, P, N, A]),
        (5, without(NAME), [P, P, P, N, P]),  # what a later one removes does not speak against the first
        (5, AFTER_3, [P, P, P, N, A]),
        (3, AFTER_3 | {PRICE: "integer"}, [P, P, A, N, A]),  # faked
        (3, AFTER_3 | {PRICE: "text"}, [P, P, H, N, A]),  # by hand
        (3, without(PRICE), [P, H, A, N, A]),
        (3, without(PRICE, UNNAMED), [P, A, A, N, A]),
        (3, without(UNNAMED), [P, H, P, N, A]),
        (3, AFTER_3 | {UNNAMED: "2"}, [P, P, P, N, A]),  # one index more does no harm
        (3, {}, [A, A, A, N, N]),
        (1, {TABLE: "", NAME: "text"}, [P, A, A, N, A]),
        (1, AFTER_3, [P, P, P, N, A]),  # rows lost
        (2, AFTER_3, [P, P, P, N, A]),
        (1, without(UNNAMED), [P, H, P, N, A]),  # stopped half-way
        (1, AFTER_3 | {PRICE: ""}, [P, P, P, N, A]),  # a definition that may not be read
        (3, AFTER_3 | {Part("default", "item", "price"): "0"}, [P, P, P, N, A]),
    ],
)
def test_states(recorded: int, live: dict[Part, str], states: list[State]) -> None:
    found = judge(TRACES, {key(number) for number in range(1, recorded + 1)}, live)
    assert [each.state for each in found.results] == states


@pytest.mark.parametrize(
    ("live", "states"),
    [
        (without(PRICE), [P, P, P]),  # what a recorded one has removed since shows nothing of it
        (without(PRICE, UNNAMED), [P, P, A]),
        (without() | {PRICE: "integer"}, [P, A, P]),  # the removal was faked
    ],
)
def test_a_record_lost_below_a_recorded_one(live: dict[Part, str], states: list[State]) -> None:
    traces = [*TRACES[:2], trace(3, {PRICE: None})]
    assert [each.state for each in judge(traces, {key(1), key(3)}, live).results] == states
    traces[1] = trace(2, {PRICE: "integer"})
    assert judge(traces, {key(1), key(3)}, without(PRICE)).results[2].state is N


def test_differences_of_a_table_that_is_gone_are_one() -> None:
    [first, *_] = judge(TRACES, {key(1)}, {}).results
    assert [(each.part, each.verdict) for each in first.differences] == [(TABLE, PartState.NOT_THERE)]


def test_a_table_that_is_partitioned_has_other_keys() -> None:
    live = without(UNNAMED) | {TABLE: "partitioned"}
    assert [each.state for each in judge(TRACES, {key(1), key(2), key(3)}, live).results][:3] == [P, P, P]


def test_what_could_not_be_built_makes_its_app_doubtful() -> None:
    found = judge(TRACES, {key(1), key(2), key(3), key(9)}, without(PRICE), unknown={key(9): "it has no file"})
    assert [each.state for each in found.results] == [P, U, U, N, A, U]


def test_accepted_and_unexplained() -> None:
    old, extra = Part("table", "shop_old", "shop_old"), Part("column", "item", "extra")
    live = without(PRICE) | {old: "", extra: "text", Part("column", "shop_old", "id"): "integer"}
    found = judge(TRACES, {key(1), key(2), key(3)}, live, accepted=lambda part: part == PRICE)
    assert [each.state for each in found.results][:3] == [P, P, N]
    assert found.unexplained == (extra, old)


changes = st.dictionaries(st.sampled_from([TABLE, NAME, PRICE]), st.sampled_from(["a", "b", None]), max_size=3)


@given(st.lists(changes, min_size=1, max_size=6), st.integers(0, 6))
def test_a_database_that_ran_what_it_records_is_never_accused(written: list[dict[Part, str | None]], ran: int) -> None:
    traces, live, known = [], dict[Part, str](), dict[Part, str]()
    for number, change in enumerate(written):
        real = {part: value for part, value in change.items() if known.get(part) != value}
        traces.append(trace(number, real))
        for part, value in real.items():
            known.pop(part, None)
            if value is not None:
                known[part] = value
        if number < ran:
            live = dict(known)
    found = judge(traces, {key(number) for number in range(ran)}, live)
    assert {each.state for each in found.results if each.recorded} <= {P, N}
    assert not any(each.state is P for each in found.results if not each.recorded)
