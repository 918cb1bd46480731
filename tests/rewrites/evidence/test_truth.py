"""The promise of the evidence: what is called proven is true, for every history that git or a journal can show."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from migsync.rewrites.evidence.agreement import agreed
from migsync.rewrites.evidence.database import AppRecords
from migsync.rewrites.evidence.evidence import Evidence, find_evidence
from migsync.rewrites.evidence.past_files import PastFiles
from tests.profiles import examples
from tests.rewrites.evidence.evolution import NO_OPERATIONS, STEPS, Evolution, Files
from tests.rewrites.evidence.repository import Project, source

USUAL = ["add", "commit", "migrate", "rename", "renumber"]
Step = tuple[str, int, int, int]

number = st.integers(0, 11)
# Some histories change and use names again, others branch, merge and squash: each is rare in a mixture of all.
kinds = st.sampled_from(STEPS + USUAL * 2)
turbulent = st.sampled_from(
    ["twin", "replace", "swap", "edit", "reword", "delete", "commit", "migrate", "rename", "add"]
)
branching = st.sampled_from(
    ["merge", "remove_merge", "squash", "settle", "empty", "commit", "migrate", "rename", "add"]
)
beginning = st.tuples(number, number, number).map(
    lambda some: [("add", 0, some[0], 1), ("add", 0, some[1], 1), ("commit", 0, 0, 0), ("migrate", some[2], 0, 0)]
)
apart = st.sampled_from(
    ["checkout", "commit", "migrate_apart", "insert", "rename", "add", "replace", "delete", "swap", "twin", "edit"]
)
later = st.one_of(
    *(st.lists(st.tuples(kind, number, number, number), max_size=20) for kind in (kinds, turbulent, branching, apart))
)
histories = st.tuples(beginning, later).map(lambda parts: [*parts[0], *parts[1]])


def evolve(taken: list[Step]) -> Evolution:
    evolution = Evolution()
    for step in taken:
        evolution.step(*step)
    return evolution


def check_all_true(
    evolution: Evolution,
    evidence: Evidence,
    states: Mapping[str, Files] | None = None,
    seen: Collection[str] = (),
) -> None:
    """Every proof of `evidence` is what really happened; `states` are the files by the state that they are called.

    What was seen to run is done, whichever of two files with these operations it was.
    """
    states = states or {f"git {index}": state for index, state in enumerate(evolution.commits)}
    old_files = states.get(evidence.source, evolution.files)
    today = {file.identity: name for name, file in evolution.files.items()}

    def meant_by(name: str) -> int:
        return evolution.records[name] if name in evolution.records else old_files[name].identity

    for pair in evidence.proven:
        became = evolution.files[pair.new[0]]
        for old in pair.old:
            same = became.identity == meant_by(old)
            squashes = [new for new, olds in evolution.squashed.items() if meant_by(old) in olds]
            nothing = became.operations == NO_OPERATIONS
            alike = [one for one in (meant_by(old), *squashes) if evolution.alike_to_all(one, became.identity)]
            done = old in seen and evolution.ran[old].operations == became.operations
            assert same or done or became.identity in squashes or nothing or alike, pair
    for name, _ in evidence.removed:
        lives_as = today.get(meant_by(name))
        assert lives_as is None or evolution.files[lives_as].operations != NO_OPERATIONS, (name, lives_as)


@settings(max_examples=examples(200, 4000), deadline=None)
@given(histories)
def test_every_proof_from_git_is_true(taken: list[Step]) -> None:
    evolution = evolve(taken)
    evidence = find_evidence(
        evolution.history(), "shop", AppRecords(tuple(evolution.recorded())), PastFiles(evolution.states)
    )
    check_all_true(evolution, evidence)


@settings(max_examples=examples(100, 1500), deadline=None)
@given(histories)
def test_every_proof_from_journals_is_true(taken: list[Step]) -> None:
    evolution = evolve(taken)
    stated = [{name: file.digest for name, file in state.items()} for state in evolution.commits]
    check_all_true(
        evolution, find_evidence(evolution.history(), "shop", AppRecords(tuple(evolution.recorded())), stated=stated)
    )


@settings(max_examples=examples(250, 4000), deadline=None)
@given(histories, st.integers(1, 3), st.booleans())
def test_every_proof_from_what_was_seen_is_true(taken: list[Step], every: int, git: bool) -> None:
    """The guard of `migrate` saw all that ran here, or some of it; git holds the older files, or there is none."""
    evolution = evolve(taken)
    past = evolution.states() if git else []
    seen = evolution.seen(every)
    evidence = find_evidence(
        evolution.history(), "shop", AppRecords(tuple(evolution.recorded()), seen), PastFiles(lambda: past)
    )
    check_all_true(evolution, evidence, seen=seen)


@settings(max_examples=examples(100, 1500), deadline=None)
@given(histories, number)
def test_what_two_databases_agree_on_is_true_for_both(taken: list[Step], stopped: int) -> None:
    """The second database was last migrated earlier than the first."""
    first = evolve(taken)
    migrations = [index for index, step in enumerate(taken) if step[0] == "migrate"]
    kept = set(migrations[: stopped % (len(migrations) + 1)])
    second = evolve([step for index, step in enumerate(taken) if step[0] != "migrate" or index in kept])
    found = [
        find_evidence(first.history(), "shop", AppRecords(tuple(evolution.recorded())), PastFiles(first.states))
        for evolution in (first, second)
    ]
    both = agreed(found)
    for evolution in (first, second):
        for pair in both.proven:
            if set(pair.old) <= evolution.records.keys():
                check_all_true(evolution, Evidence("shop", (), (), pairs=(pair,), source=both.source))


@settings(max_examples=examples(10, 25), deadline=None)
@given(histories)
def test_every_proof_from_a_real_repository_is_true(taken: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as root:
        project = Project(Path(root))
        evolution = Evolution()
        states: dict[str, Files] = {}

        def save() -> None:
            for path in project.migrations.glob("0*.py"):
                path.unlink()
            for name, file in evolution.files.items():
                operations = None if file.operations == NO_OPERATIONS else file.operations
                path = project.migrations / f"{name}.py"
                path.write_text(source(file.parents, operations, file.replaces, wording=file.wording))

        def commit() -> None:
            save()
            project.commit()
            head, date = project.git("log", "-1", "--format=%H %cd", "--date=format-local:%Y-%m-%d").split()
            states[f"git {head[:10]} ({date})"] = dict(evolution.files)

        commit()
        for step in taken:
            evolution.step(*step)
            if step[0] == "commit":
                commit()
        save()
        check_all_true(evolution, project.evidence(*evolution.recorded()), states)


def test_most_renames_are_proven() -> None:
    """The promise would be cheap if nothing were proven: a plain renumbering is, as a whole."""
    evolution = evolve([("add", 0, 3, 1), ("add", 0, 5, 1), ("commit", 0, 0, 0), ("migrate", 2, 0, 0)])
    old = evolution.recorded()
    evolution.step("renumber", 1, 0, 0)
    evidence = find_evidence(evolution.history(), "shop", AppRecords(tuple(old)), PastFiles(evolution.states))
    today = {name: file.identity for name, file in evolution.files.items()}
    changed = [name for name, identity in evolution.records.items() if today.get(name) != identity]
    assert changed
    assert {pair.old[0] for pair in evidence.proven} >= set(changed)


def test_records_of_two_branches_are_followed() -> None:
    """No commit has both names: each is followed by itself."""
    started: list[Step] = [("add", 0, 2, 1), ("commit", 0, 0, 0), ("migrate", 1, 0, 0)]
    branch: list[Step] = [("add", 0, 4, 1), ("commit", 0, 0, 0), ("migrate", 2, 0, 0)]
    main: list[Step] = [("checkout", 1, 0, 0), ("add", 0, 5, 1), ("commit", 0, 0, 0), ("migrate_apart", 2, 0, 0)]
    evolution = evolve([*started, *branch, *main])
    old = evolution.recorded()
    assert old[-2:] == ["0003_a", "0003_b"]
    on_branch = evolution.commits[1]["0003_a"]
    evolution.files["0004_a"] = replace(on_branch, parents=("0003_b",))
    evidence = find_evidence(evolution.history(), "shop", AppRecords(tuple(old)), PastFiles(evolution.states))
    assert {pair.old: pair.new for pair in evidence.proven} == {("0003_a",): ("0004_a",)}
    assert evidence.source == "git 1"
    check_all_true(evolution, evidence)


def test_a_reworded_file_is_followed() -> None:
    """What no database sees makes no other migration of it."""
    evolution = evolve([("add", 0, 3, 1), ("add", 0, 5, 1), ("commit", 0, 0, 0), ("migrate", 2, 0, 0)])
    old = evolution.recorded()
    for place in range(3):
        evolution.step("reword", place, place + 1, 0)
    evolution.step("renumber", 1, 0, 0)
    evidence = find_evidence(evolution.history(), "shop", AppRecords(tuple(old)), PastFiles(evolution.states))
    today = {name: file.identity for name, file in evolution.files.items()}
    assert {pair.old[0] for pair in evidence.proven} >= {
        name for name, identity in evolution.records.items() if today.get(name) != identity
    }
    assert all("only in what no database sees" in pair.reasons[0] for pair in evidence.proven)
