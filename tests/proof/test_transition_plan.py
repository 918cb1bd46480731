"""What the planner makes of every database that the old files can have left behind, judged before anything runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migsync.history import History, Key, build_history
from migsync.proof import transition
from migsync.proof.transition import TransitionPlan, plan_transition
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import Change
from migsync.sync.planner import make_plan
from migsync.worker.protocol import RehearsalResult, RehearsedWay
from tests.sync.planner.texts import history, rewrite

pytestmark = pytest.mark.pure


def planned(old: History, new: History, proposed: Rewrite | None) -> TransitionPlan:
    steps = tuple((key, (key,)) for key in old.order if not old.migrations[key].replaces)
    return plan_transition(RehearsalResult((RehearsedWay((), steps),)), old, new, Rewrites(), proposed, ["shop"])


def found(plan: TransitionPlan) -> list[tuple[str, str]]:
    return [(each.code, each.found) for each in plan.findings]


def test_a_rename_takes_every_database_along() -> None:
    old, new = history(shop="0001_a 0003_b 0004_c"), history(shop="0001_a 0002_b 0003_c")
    proposed = rewrite(new, "shop.0003_b=0002_b", "shop.0004_c=0003_c", old={"shop": "0001_a 0003_b 0004_c"})
    assert found(planned(old, new, proposed)) == []


def test_a_database_that_is_up_to_date_must_not_be_refused() -> None:
    """The new file stands for one that the databases of this project never had."""
    old, new = history(shop="0001_a 0002_b"), history(shop="0001_a 0002_squashed")
    proposed = rewrite(new, ":shop.0002_squashed=0002_b+0003_c", old={"shop": "0001_a 0002_b 0003_c"})
    ((code, text),) = found(planned(old, new, proposed))
    assert code == "transition-refused"
    assert text.startswith("`migsync apply` would refuse a database that is up to date: shop.0002_squashed stands for")


def test_the_record_of_a_squash_makes_no_difference() -> None:
    """What was a squash is an ordinary migration under another name: with its record it ran, without it did not."""
    old = history(shop="0001_a 0002_b 0001_squash<")
    squash = replace(
        old.migrations[Key("shop", "0001_squash")], replaces=(Key("shop", "0001_a"), Key("shop", "0002_b"))
    )
    old = build_history(
        [*(old.migrations[Key("shop", name)] for name in ("0001_a", "0002_b")), squash], old.apps.values()
    )
    new = history(shop="0001_a 0002_b 0003_more")
    proposed = rewrite(new, "shop.0001_squash=0003_more", old={"shop": "0001_a 0002_b 0001_squash<"})
    assert found(planned(old, new, proposed)) == [
        (
            "transition-ambiguous",
            "The result for a database whose last applied migration is shop.0002_b depends on whether Django has "
            "recorded a squash there yet.",
        )
    ]


def test_who_is_further_lacks_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leads there; a fault of the planner would."""

    def forgetful(*arguments: object, **named: object) -> object:
        plan, records = make_plan(*arguments, **named), arguments[2]  # type: ignore[arg-type]
        return replace(plan, changes=(Change(records[0], None),)) if len(records) == 2 else plan

    monkeypatch.setattr(transition, "make_plan", forgetful)
    same = history(shop="0001_a 0002_b")
    assert found(planned(same, same, None)) == [
        (
            "transition-record-lost",
            "shop.0001_a would be recorded in a database whose last applied migration is shop.0001_a, but not in a "
            "database whose last applied migration is shop.0002_b.",
        )
    ]
