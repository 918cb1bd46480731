"""Projects with apps that others wrote, whose migration files are the project's own copies."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.databases import Database, django_databases

MANAGE = """\
import os
import sys

from django.core.management import execute_from_command_line

os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
execute_from_command_line(sys.argv)
"""

SETTINGS = """\
import os

from oscar import INSTALLED_APPS as BASE_APPS
from oscar.defaults import *

{databases}
# Some migrations of modelsearch and wagtail ask the connection "default", whatever --database says, which engine this
# is. Each database is therefore migrated as "default".
if alias := os.environ.get("PROJECT_DEFAULT"):
    DATABASES = {{"default": DATABASES[alias]}}

INSTALLED_APPS = [
    *BASE_APPS,
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.contrib.search_promotions",
    "wagtail.contrib.settings",
    "wagtail.contrib.simple_translation",
    "wagtail.contrib.table_block",
    "wagtail.contrib.typed_table_block",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail.locales",
    "wagtail",
    "modelsearch",
    "modelcluster",
    "taggit",
    "django_tasks",
]
MIGRATION_MODULES = {modules!r}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
HAYSTACK_CONNECTIONS = {{"default": {{"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}}}
ROOT_URLCONF = "project.urls"
SECRET_KEY = "not a secret"
SITE_ID = 1
STATIC_URL = "/static/"
USE_TZ = True
WAGTAIL_SITE_NAME = "project"
WAGTAILADMIN_BASE_URL = "http://localhost"
"""

# A thousand files of others, which Python compiles once.
ENVIRONMENT = {"DJANGO_SETTINGS_MODULE": "project.settings", "PYTHONDONTWRITEBYTECODE": ""}

# Without oscar, wagtail needs some of Django's own.
CONTRIB = ("admin", "auth", "contenttypes", "messages", "sessions", "staticfiles")

# A site that is a project by itself, and brings its own settings.
SITE = """\
import os

from {package}.settings import *

{{databases}}
MIGRATION_MODULES = {{modules!r}}
SILENCED_SYSTEM_CHECKS = ["mysql.E001"]
"""

# Records every migration as applied, by Django's own executor, as ``migrate --fake`` does.
RECORD = """\
import sys
import django
django.setup()
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
for alias in sys.argv[1:]:
    executor = MigrationExecutor(connections[alias])
    executor.migrate(executor.loader.graph.leaf_nodes(), fake=True)
"""

# What ``manage.py`` says to each of these lists of arguments, in one process: starting this project takes seconds.
SAID = """\
import contextlib
import io
import json
import sys
import traceback
from django.core.management import execute_from_command_line
said = []
for arguments in json.loads(sys.argv[1]):
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            execute_from_command_line(["manage.py", *arguments, "--skip-checks"])
        except SystemExit:
            pass
        except Exception:
            traceback.print_exc()
    said.append(text.getvalue())
print(json.dumps(said))
"""

# The apps whose migrations are copied: {label: (directory, package)}.
APPS = """\
import sys
import json
from pathlib import Path
import django
django.setup()
from django.apps import apps
print(json.dumps({
    config.label: (str(Path(config.path, "migrations")), config.name)
    for config in apps.get_app_configs()
    if config.name.partition(".")[0] in sys.argv[1:] and Path(config.path, "migrations", "__init__.py").exists()
}))
"""


@dataclass(frozen=True)
class Kind:
    """Whose apps they are: the packages, the settings of a project with them, and the Python that has them."""

    packages: tuple[str, ...]
    settings: str
    python: str = sys.executable
    environment: tuple[tuple[str, str], ...] = ()


WAGTAIL_AND_OSCAR = Kind(("wagtail", "oscar"), SETTINGS)
WAGTAIL = Kind(
    ("wagtail",),
    SETTINGS.replace("from oscar.defaults import *\n", "").replace(
        "from oscar import INSTALLED_APPS as BASE_APPS", f"BASE_APPS = {[f'django.contrib.{app}' for app in CONTRIB]!r}"
    ),
)


def site(package: str, python: str) -> Kind:
    """A site that is a project by itself, with the Python that it is installed in."""
    data = (f"{package.upper()}_DATA_DIR", "data")
    return Kind((package,), SITE.format(package=package), python, (data, ("DATA_DIR", "data")))


@dataclass(frozen=True)
class RealProject:
    """The project's root. Its migrations are in ``history/<label>/``."""

    root: Path
    kind: Kind = WAGTAIL_AND_OSCAR

    @property
    def history(self) -> Path:
        return self.root / "history"

    def migrate_plans(self, aliases: Iterable[str]) -> dict[str, str]:
        """What ``manage.py migrate --plan`` says for each alias, errors included."""
        return self.outlook(aliases)[0]

    def make_plan(self) -> str:
        """What ``manage.py makemigrations --check`` says, but for the numbers of what it would make."""
        return self.outlook([])[1]

    def outlook(self, aliases: Iterable[str]) -> tuple[dict[str, str], str]:
        """Both."""
        commands = {alias: ["migrate", "--plan", "--database", alias] for alias in aliases}
        models = ["makemigrations", "--check", "--dry-run"]
        *plans, changes = json.loads(self._run("-c", SAID, json.dumps([*commands.values(), models])).splitlines()[-1])
        return dict(zip(commands, plans, strict=True)), re.sub(r"\b\d{4}_", "0000_", changes)

    def record(self, aliases: Iterable[str]) -> None:
        """Have Django record every migration in these databases, without running it."""
        self._run("-c", RECORD, *aliases)

    def manage(self, *arguments: str) -> str:
        """What ``manage.py`` says; it must succeed."""
        return self._run("manage.py", *arguments)

    def migsync(self, *arguments: str) -> str:
        """What ``migsync`` says; it must succeed."""
        return self._run("-m", "migsync", *arguments)

    def answer(self, *arguments: str) -> tuple[int, str]:
        """The exit status of ``migsync``, and what it says."""
        finished = self._finished("-m", "migsync", *arguments)
        return finished.returncode, finished.stdout

    def start_migrate(self, alias: str) -> subprocess.Popen[str]:
        """Begin to record every migration in one database."""
        return subprocess.Popen(
            [sys.executable, "manage.py", "migrate", "--noinput", "--skip-checks"],
            cwd=self.root,
            env=os.environ | ENVIRONMENT | {"PROJECT_DEFAULT": alias},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _run(self, *arguments: str) -> str:
        finished = self._finished(*arguments)
        assert finished.returncode == 0, f"{arguments[:3]}\n{finished.stdout[-8000:]}"
        return finished.stdout

    def _finished(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.kind.python, *arguments],
            cwd=self.root,
            env=os.environ | ENVIRONMENT | dict(self.kind.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def make_project(root: Path, databases: Mapping[str, Database], kind: Kind = WAGTAIL_AND_OSCAR) -> RealProject:
    """Write the project into `root`, an empty directory."""
    project = RealProject(root, kind)
    (root / "project").mkdir()
    (root / "project" / "__init__.py").touch()
    (root / "project" / "urls.py").write_text("urlpatterns = []\n")
    (root / "manage.py").write_text(MANAGE)
    settings = root / "project" / "settings.py"
    settings.write_text(kind.settings.format(databases=django_databases(databases), modules={}))
    apps = json.loads(project._run("-c", APPS, *kind.packages).splitlines()[-1])
    for label, (directory, package) in apps.items():
        shutil.copytree(directory, project.history / label)
        for path in (project.history / label).rglob("*.py"):
            _import_from(
                path, [*package.split("."), "migrations", *path.relative_to(project.history / label).parts[:-1]]
            )
    (project.history / "__init__.py").touch()
    modules = {label: f"history.{label}" for label in apps}
    settings.write_text(kind.settings.format(databases=django_databases(databases), modules=modules))
    return project


def _import_from(path: Path, package: Sequence[str]) -> None:
    """Have a file that was in `package` import what is outside of the migrations from where it is."""
    inside = len(package) - package.index("migrations")

    def absolute(found: re.Match[str]) -> str:
        level = len(found[2])
        if level <= inside:
            return found[0]
        return f"{found[1]}from {'.'.join(filter(None, (*package[: 1 - level], found[3])))} import"

    source = path.read_bytes()
    path.write_bytes(re.sub(r"(?m)^([ \t]*)from (\.+)(\S*) import", absolute, source.decode()).encode())


def use_databases(project: RealProject, databases: Mapping[str, Database]) -> None:
    """Have the settings name these databases."""
    settings = project.root / "project" / "settings.py"
    modules = {
        path.name: f"history.{path.name}"
        for path in sorted(project.history.iterdir())
        if (path / "__init__.py").exists()
    }
    settings.write_text(project.kind.settings.format(databases=django_databases(databases), modules=modules))
