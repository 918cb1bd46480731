"""Every record that nothing explains is named by a finding of the plan, whatever else is asked about the same files."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from migsync.history import Key
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import Plan
from tests.profiles import examples
from tests.rewrites.evidence.lives import databases, history_of, survey
from tests.rewrites.evidence.test_truth import Step, number
from tests.rewrites.evidence.test_written import live, lives

NAMES = [f"{place:04}_{suffix}" for place in range(1, 6) for suffix in "ab"]
STRANGE = ["0003_merge", "0001_initial_squashed_0003_b", "0002_price", "0009_a"]
recorded = st.lists(st.sampled_from(["0001_initial", *NAMES, *STRANGE]), unique=True, max_size=6)


def texts(plan: Plan) -> str:
    return "\n".join(f"{each.found}\n{each.meaning}\n{each.hint}\n{each.facts}" for each in plan.findings)


@settings(max_examples=examples(150, 5000), deadline=None)
@given(lives, recorded, recorded, st.booleans(), st.booleans(), number)
def test_every_unexplained_record_is_named(
    steps: list[Step], one: list[str], other: list[str], git: bool, accept: bool, kept: int
) -> None:
    evolution = live(steps)
    ran = evolution.recorded()
    history, targets = (
        history_of(evolution),
        databases([*ran[:kept], *(each for each in one if each not in ran)], other),
    )
    found, made = survey(history, Rewrites(), targets, evolution.states() if git else [], accept=accept)
    replaced = {key for migration in history.migrations.values() for key in migration.replaces}
    explained = history.migrations.keys() | replaced | (found.origins.explained if found else set())
    for target, plan in zip(targets, made, strict=True):
        changed = {change.before for change in plan.changes}
        said = texts(plan)
        for row in target.rows:
            if row not in changed and row.key not in explained:
                assert str(row.key) in said or row.name in said, (row, said)
                assert plan.blocked or plan.unexplained or named_as_information(plan, row.key), row


def named_as_information(plan: Plan, key: Key) -> bool:
    """A squash's rows, of which Django keeps those that it replaced, and records of another branch."""
    return any(
        finding.code in ("squashed-record", "on-another-branch", "open-removal")
        and (key.name in str(finding.facts) or finding.name == key.name)
        for finding in plan.findings
    )
