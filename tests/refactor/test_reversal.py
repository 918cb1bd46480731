"""What stands against taking a change of files back."""

from __future__ import annotations

from migsync.history import read_history
from migsync.refactor.reversal import reversal_findings
from tests.proof.projects import ITEM, Site, migration


def test_a_file_with_computed_dependencies_comes_back(tmp_path) -> None:
    """Django read it when it was removed, so nothing is wrong with it; a newer file may still need what goes."""
    remade = migration(ITEM)
    site = Site(tmp_path / "site").settings("shop").app("shop", "", {"0001_remade": remade})
    project = site.project
    history = read_history(project.apps, settings=project.settings)
    old = remade.replace("dependencies = []", "dependencies = [] if OTHER else OTHERS")
    assert old != remade
    back = [
        site.change("shop/migrations/0001_remade.py", None),
        site.change(None, "shop/migrations/0001_initial.py", old),
    ]
    assert not [*reversal_findings(project, history, (), "remake", back, (), {})]
    site.write({"shop/migrations/0002_more.py": migration(after=[("shop", "0001_remade")])})
    history = read_history(project.apps, settings=project.settings)
    [finding] = reversal_findings(project, history, (), "remake", back, (), {})
    assert finding.code == "files-needed-since"
