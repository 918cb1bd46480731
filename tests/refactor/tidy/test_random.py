"""Random squashes and databases at random points: tidy refuses, or `migrate` goes on just where it would have."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from migsync.files.builder import make_proposal
from migsync.history import History, Key
from migsync.refactor.tidy import DatabaseRecords, tidy
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.planner import make_plan
from migsync.sync.target_state import afterwards
from tests.files.proposals import CREATED, Project, carry_out
from tests.sync.planner.texts import REF


def squashed(root: Path, rng: random.Random) -> tuple[Project, list[str], str]:
    """A chain of shop with a squash of some of it, and a chain of blog that leans on it; the old names, the squash."""
    project = Project(root)
    names = [f"shop.{number:04}_{rng.choice('abc')}" for number in range(1, rng.randint(4, 7))]
    first = rng.randrange(len(names) - 1)
    old = names[first : rng.randint(first + 2, len(names))]
    squash = f"{old[0]}_squashed"
    for above, name in zip(["", *names], names, strict=False):
        parent = squash if above == old[-1] and rng.random() < 0.5 else above
        project.add(name, *filter(None, [parent]))
    project.add(squash, *names[first - 1 : first], replaces=old)
    seen = 0
    for number in range(1, rng.randint(2, 5)):
        above = [f"blog.{number - 1:04}_x"] if number > 1 else []
        seen = rng.randint(seen, len(names) - 1)
        project.add(f"blog.{number:04}_x", *above, names[seen])
    return project, old, squash


def recorded(history: History, rng: random.Random, old: list[str], squash: str) -> list[Record]:
    """What a database has recorded that stopped somewhere; before the squash was deployed to it, or after."""
    done: list[str] = []
    count = rng.randint(0, len(history.migrations))
    ready = [str(key) for key in history.order if str(key) != squash]
    for name in ready[:count]:
        migration = history.migrations[Key.parse(name)]
        needed = {str(key) for key in migration.dependencies}
        if needed - {squash} <= set(done) and (squash not in needed or set(old) <= set(done)):
            done.append(name)
    if set(old) <= set(done) and rng.random() < 0.7:
        done.append(squash)
    return [Record(number, *name.split(".", 1), f"2024-01-{number:02} 10:00:00") for number, name in enumerate(done, 1)]


@settings(max_examples=60)
@given(st.randoms(use_true_random=False))
def test_what_is_pending_stays_pending(rng: random.Random) -> None:
    with tempfile.TemporaryDirectory() as directory:
        project, old, squash = squashed(Path(directory), rng)
        history = project.read()
        databases = [recorded(history, rng, old, squash) for _ in range(3)]
        if gone := rng.random() < 0.3:
            for name in old:
                (Path(directory) / "shop/migrations" / f"{name.partition('.')[2]}.py").unlink()
            history = project.read()
        keys = [frozenset(record.key for record in records) for records in databases]
        remove = rng.random() < 0.6
        reshape = tidy(
            history, [DatabaseRecords(f"db{n}", each) for n, each in enumerate(keys)], remove_replaced=remove
        )
        names = frozenset(map(Key.parse, old))
        partial = [each for each in keys if Key.parse(squash) not in each and each & names and not names <= each]
        event(f"refused: {bool(partial)}, finished: {remove or gone}")
        assert bool(partial) == any(finding.blocks for finding in reshape.findings)
        if partial:
            return
        proposal = make_proposal(history, Rewrites(), reshape, root=Path(directory), created=CREATED)
        assert not proposal.findings
        carry_out(proposal)
        after = project.read()
        assert not after.findings
        rewrites = Rewrites().with_proposed(proposal.rewrite)
        for records, before in zip(databases, keys, strict=True):
            plan = make_plan(after, rewrites, records, REF)
            assert not plan.blocked, plan.findings
            now = after.state({record.key for record in afterwards(records, plan)})
            assert not now.error
            assert now.pending == history.state(before).pending
        assert ({*map(str, after.migrations)} & {*old} == set()) == (remove or gone)
