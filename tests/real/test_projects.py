"""Every command that changes files, on large public projects: nothing fails wrongly, and all comes back byte for byte.

MIGSYNC_TEST_SITES names a directory of environments, each with a Python that has a project and this migsync::

    python3.12 -m venv ../sites/apps
    ../sites/apps/bin/pip install -e '.[postgresql,mysql]' django-cms djangocms-alias djangocms-versioning \\
        django-filer django-machina 'django-allauth[socialaccount,mfa]' django-celery-beat django-helpdesk \\
        django-oauth-toolkit django-taggit
    python3.12 -m venv ../sites/pretix && ../sites/pretix/bin/pip install pretix -e '.[postgresql,mysql]'
    MIGSYNC_TEST_SITES=$PWD/../sites python -m pytest tests/real/test_projects.py

label-studio is installed like pretix, in ``labelstudio``. netbox and saleor are checkouts, whose path a ``.pth`` file
names in an environment with their requirements; they run on PostgreSQL alone.

Those that are not there are skipped. What it printed is in tests/benchmarks/REAL.md. In the quick profile, only the
commands that run no migration are tried, on SQLite.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.profiles import THOROUGH
from tests.real.sites import ONLY_POSTGRESQL, kinds
from tests.real.trial import COMMANDS, Trial

pytestmark = pytest.mark.real

CHEAP = ("linearize", "renumber", "fix-conflicts", "squash --suggest")


@pytest.fixture(params=["sqlite", "postgresql"] if THOROUGH else ["sqlite"])
def trial(request: pytest.FixtureRequest, new_database: NewDatabase, tmp_path: Path, name: str) -> Iterator[Trial]:
    kind = kinds()[name]
    if not Path(kind.python).exists():
        pytest.skip(f"no {name}: see the module")
    if name in ONLY_POSTGRESQL and request.param != "postgresql":
        pytest.skip(f"{name} runs on PostgreSQL alone")
    found = Trial(kind, tmp_path, new_database(request.param))
    found.prepare()
    yield found


@pytest.mark.parametrize("name", kinds())
def test_every_command(trial: Trial, name: str) -> None:
    """A refusal with a reason is an answer; a traceback, files that changed in spite of it, or lost bytes are not."""
    attempts = [trial.attempt(command) for command in (COMMANDS if THOROUGH else CHEAP)]
    for each in attempts:
        cells = (name, trial.database.engine, each.command, str(each.files), each.result, f"{each.ended.seconds:.0f} s")
        print(f"| {' | '.join(cells)} |")
    assert not [f"{each.command}: {each.wrong}" for each in attempts if each.wrong]
