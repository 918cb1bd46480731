"""All rewrites that count for a project: its own, and those that installed packages ship for their own apps."""

from __future__ import annotations

from pathlib import Path

from migsync.findings import Finding
from migsync.findings.packages import foreign_rewrite
from migsync.project import Project
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_files import read_rewrites
from migsync.rewrites.rewrite_graph import Rewrites, united


def all_rewrites(project: Project) -> tuple[Rewrites, tuple[Finding, ...]]:
    """The rewrites, and a finding for each one of a package that speaks of another's apps: it does not count.

    Raises RewriteError for a file that is not a valid rewrite, whoever wrote it.
    """
    own = read_rewrites(project.rewrites)
    installed = {app.label for app in project.apps}
    shipped: list[Rewrite] = []
    findings: list[Finding] = []
    for package in project.packages:
        for rewrite in read_rewrites(Path(package.directory), package.name).ordered:
            # A label that no app has changes nothing here: the package has more apps than are installed, or had.
            strange = sorted((rewrite.labels & installed) - package.apps)
            if strange:
                findings.append(foreign_rewrite(app=strange[0], package=package.name, file=rewrite.path))
            else:
                shipped.append(rewrite)
    return united(own, shipped), tuple(findings)


def rewritten_apps(rewrites: Rewrites) -> frozenset[str]:
    """The labels of apps that rewrites may speak of though they are of installed packages."""
    return frozenset(
        label for rewrite in rewrites.ordered if rewrite.package or rewrite.third_party for label in rewrite.apps
    )
