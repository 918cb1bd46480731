"""Small projects on disk, proposals for them, and proposals carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from migsync.files.builder import make_proposal
from migsync.files.proposal import Proposal
from migsync.files.reshape import ContentChanges, DependencyChanges, Expectation, KeyChanges, Reshape
from migsync.history import App, History, Key, read_history
from migsync.rewrites.rewrite_graph import Rewrites

CREATED = "2026-11-20T10:45:00Z"


def wanted_of(**wanted: Any) -> Reshape:
    """A Reshape of the parts that have these fields."""
    parts = {}
    for name, part in {
        "keys": KeyChanges,
        "dependencies": DependencyChanges,
        "contents": ContentChanges,
        "expected": Expectation,
    }.items():
        own = {field.name for field in fields(part)} & wanted.keys()
        parts[name] = part(**{field: wanted.pop(field) for field in sorted(own)})
    return Reshape("test", **parts, **wanted)


class Project:
    """Apps with migrations below one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.apps: dict[str, App] = {}

    def app(self, label: str, directory: Path | None = None, *, first_party: bool = True) -> Path:
        directory = directory or self.root / label / "migrations"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "__init__.py").touch()
        self.apps[label] = App(label, str(directory), first_party)
        return directory

    def add(self, key: str, *parents: str, operations: str = "migrations.RunSQL('')", **header: Sequence[str]) -> Path:
        """A migration file; keys are told as ``shop.0001_a``."""
        app, name = key.split(".")
        directory = Path(self.apps[app].directory or "") if app in self.apps else self.app(app)
        lines = ["from django.db import migrations", "", "", "class Migration(migrations.Migration):"]
        for attribute, keys in {"dependencies": parents, **header}.items():
            lines.append(f"    {attribute} = [{', '.join(repr(tuple(each.split('.'))) for each in keys)}]")
        path = directory / f"{name}.py"
        path.write_text("\n".join([*lines, f"    operations = [{operations}]", ""]))
        return path

    def write(self, path: str, text: str) -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def read(self) -> History:
        return read_history(list(self.apps.values()))

    def propose(self, **wanted: Any) -> Proposal:
        return make_proposal(self.read(), Rewrites(), wanted_of(**wanted), root=self.root, created=CREATED)

    def changed(self, proposal: Proposal) -> dict[str, str | None]:
        """Old path to new path, relative to the root."""
        return {self._relative(each.old_path): self._relative(each.new_path) for each in proposal.files}

    def _relative(self, path: Path | None) -> Any:
        return None if path is None else str(path.relative_to(self.root))


def carry_out(proposal: Proposal) -> None:
    for change in proposal.files:
        if change.old_path is not None:
            assert change.old_path.read_bytes() == change.old
            change.old_path.unlink()
    for change in proposal.files:
        if change.new_path is not None:
            assert not change.new_path.exists()
            change.new_path.write_bytes(change.new or b"")
            change.new_path.chmod(change.mode)


def keys(**renamed: str) -> Mapping[Key, Key]:
    """``keys(shop=\"0003_b>0002_b 0004_c>0003_c\")``: what is renamed, by app."""
    pairs = [(app, *pair.split(">")) for app, text in renamed.items() for pair in text.split()]
    return {Key(app, old): Key(app, new) for app, old, new in pairs}
