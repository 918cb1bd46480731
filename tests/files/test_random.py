"""Random histories, random new names, merges taken out: what is on disk afterwards is what was wanted."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from migsync.files.reshape import Reshape
from migsync.files.resolution import Resolution
from migsync.history import SETTING, History, Key, Migration, parse_migration
from tests.files.proposals import Project, carry_out, wanted_of
from tests.history.histories import Files, files
from tests.profiles import examples


def written(root: Path, made: Files) -> Project:
    """The migrations as files; dependencies on settings are another module's affair."""
    project = Project(root)
    for migration in made.migrations:
        parents = [str(key) for key in migration.dependencies if key.app != SETTING]
        header = {
            attribute: [str(key) for key in getattr(migration, attribute) if key.app != SETTING]
            for attribute in ("run_before", "replaces")
        }
        operations = f"migrations.RunSQL({migration.key.name!r})"
        project.add(str(migration.key), *parents, operations=operations, **header)
    for app in made.apps:
        if app.directory is not None and app.label not in project.apps:
            project.app(app.label)
    return project


@st.composite
def reshapes(draw: st.DrawFn, history: History) -> Reshape:
    """New names: numbers given anew in an order of chance, or two names swapped; and the migrations that go."""
    renamed: dict[Key, Key] = {}
    removed: dict[Key, tuple[Key, ...]] = {}
    for app in sorted(history.first_party):
        own = [Key(app, name) for name in history.names(app)]
        if own and draw(st.booleans()):
            gone = draw(st.sampled_from(own))
            removed[gone] = tuple(up for up in history.parents(gone) if up.app == app)
        stay = [key for key in own if key not in removed]
        if draw(st.booleans()):
            order = draw(st.permutations(range(len(stay))))
            renamed |= {key: Key(app, f"{number:04d}_new") for number, key in zip(order, stay, strict=True)}
        elif len(stay) > 1:
            renamed |= {stay[0]: stay[1], stay[1]: stay[0]}
    return wanted_of(renamed={old: new for old, new in renamed.items() if old != new}, removed=removed)


@settings(max_examples=examples(40, 200))
@given(st.data())
def test_what_is_wanted_is_on_disk(data: st.DataObject) -> None:
    made = data.draw(files())
    with tempfile.TemporaryDirectory() as directory:
        project = written(Path(directory), made)
        before = project.read()
        reshape = data.draw(reshapes(before))
        proposal = project.propose(renamed=reshape.keys.renamed, removed=reshape.keys.removed)
        if proposal.blocked:
            assert {finding.code for finding in proposal.findings if finding.blocks} <= {"replaced-name"}
            return
        carry_out(proposal)
        after = project.read()
        digests = {key: migration.digest for key, migration in after.migrations.items()}
    wanted = Resolution(before, reshape)
    stay = {key: wanted.now(key) for key in before.migrations if key not in reshape.keys.removed}
    assert after.migrations.keys() == set(stay.values())
    for key, now in stay.items():
        assert digests[now] == digest(key)
        assert Counter(after.migrations[now].dependencies) == dependencies(before.migrations[key], before, reshape)
    if proposal.rewrite is None:
        assert not (reshape.keys.renamed.keys() | reshape.keys.removed.keys()) & before.migrations.keys()
        return
    for app, change in proposal.rewrite.apps.items():
        assert sorted(change.before) == sorted(before.names(app))
        assert sorted(change.after) == sorted(after.names(app))
        renamed = dict(change.renamed)
        assert set(change.after) == {renamed.get(name, name) for name in change.before if name not in change.removed}


def dependencies(migration: Migration, before: History, reshape: Reshape) -> Counter[Key]:
    """Told in sets: what stays, and once each what comes instead of the others."""
    stay: Counter[Key] = Counter()
    come: set[Key] = set()
    for key in migration.dependencies:
        if key in reshape.keys.removed:
            come |= {reshape.keys.renamed.get(up, up) for up in before.parents(key) if up.app == key.app}
        elif key in reshape.keys.renamed:
            come.add(reshape.keys.renamed[key])
        else:
            stay[key] += 1
    return stay + Counter(dict.fromkeys(come - stay.keys(), 1))


def digest(key: Key) -> str:
    source = f"from django.db import migrations\nclass Migration:\n    operations = [migrations.RunSQL({key.name!r})]\n"
    return parse_migration(source.encode(), key).digest
