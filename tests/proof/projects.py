"""Projects with migrations on disk, and proposals for them written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent, indent

from migsync.files.proposal import FileChange, Proposal
from migsync.project import find_project
from migsync.rewrites.rewrite import AppRewrite, Rewrite

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "config")\n'
ID = "('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID'))"
ITEM = f"migrations.CreateModel('Item', [{ID}])"


def migration(*operations: str, after: object = (), head: str = "", **attributes: object) -> str:
    """The text of a migration file; `after` are its dependencies."""
    lines = [f"dependencies = {list(after)!r}", *(f"{name} = {value!r}" for name, value in attributes.items())]
    lines += ["operations = [", *(f"    {operation}," for operation in operations), "]"]
    body = indent("\n".join(lines), "    ")
    return (
        f"from django.db import migrations, models\n{dedent(head)}\n\nclass Migration(migrations.Migration):\n{body}\n"
    )


def add_field(model: str, name: str, field: str) -> str:
    return f"migrations.AddField('{model}', '{name}', models.{field})"


def alter_field(model: str, name: str, field: str) -> str:
    return f"migrations.AlterField('{model}', '{name}', models.{field})"


class Site:
    """A project at `root`: write files, then propose others."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write({"manage.py": MANAGE})

    def write(self, files: Mapping[str, str]) -> Site:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
        return self

    def settings(self, *apps: str, more: str = "") -> Site:
        databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(self.root / "db.sqlite3")}}
        return self.write(
            {
                "config.py": f"INSTALLED_APPS = {list(apps)!r}\nDATABASES = {databases!r}\nUSE_TZ = True\n"
                f"DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\n{dedent(more)}"
            }
        )

    def app(self, name: str, models: str, migrations: Mapping[str, str], package: str = "migrations") -> Site:
        """An app with the text of its models and its migrations by name."""
        place = name.replace(".", "/")
        self.write({f"{part}/__init__.py": "" for part in _parents(place)} | {f"{place}/{package}/__init__.py": ""})
        self.write({f"{place}/models.py": f"from django.db import models\n\n{dedent(models)}"})
        return self.write({f"{place}/{package}/{name}.py": text for name, text in migrations.items()})

    @property
    def project(self):
        return find_project(root=self.root)

    def change(self, old: str | None, new: str | None, text: str | None = None) -> FileChange:
        """A change of one file, by paths from the root; without `text` the content stays."""
        before = (self.root / old).read_bytes() if old else None
        after = None if new is None else before if text is None else dedent(text).encode()
        return FileChange(self.root / old if old else None, self.root / new if new else None, before, after, 0o644)

    def propose(self, *files: FileChange, rewrite: Rewrite | None = None, **leaves: int) -> Proposal:
        return Proposal("linearize", files, rewrite, leaves)


def _parents(place: str) -> list[str]:
    parts = place.split("/")
    return ["/".join(parts[: number + 1]) for number in range(len(parts))]


def rewrite(app: str, before, after, **changes) -> Rewrite:
    return Rewrite((), "linearize", "2026-11-20T10:45:00Z", {app: AppRewrite(tuple(before), tuple(after), **changes)})
