"""Workers that are started before the proposal is known: the proof says the same, and none of them stays."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from migsync.proof.proof import prove
from migsync.worker.client import workers_ahead
from tests.proof.projects import migration
from tests.proof.test_proof import OLD, path, renumbered, shop

READY = """\
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "config"
from migsync.worker.setup import import_django
import_django()
from django.conf import settings
print("config" in sys.modules, settings.configured, "django.db.migrations.loader" in sys.modules)
print(os.environ["DJANGO_SETTINGS_MODULE"])
"""
BROKEN = {
    "nothing": {},
    "settings": {"config.py": "1 / 0\n"},
    "settings that exit": {"config.py": "import sys\n\nsys.exit('no key')\n"},
    "models": {"shop/models.py": "import no_such_module\n"},
    "a migration": {path("0003_name"): "raise ValueError('not today')\n"},
    "a migration's parent": {path("0003_name"): migration(after=[("shop", "0002_gone")])},
}


def in_full(proof):
    return [finding.as_dict() for finding in proof.findings]


@pytest.mark.parametrize("files", BROKEN.values(), ids=BROKEN)
def test_the_proof_is_the_same(tmp_path, files):
    site = shop(tmp_path, migrations=OLD)
    project, proposal = site.project, renumbered(site)
    site.write(files)
    with workers_ahead(project.runtime()) as workers:
        ahead = prove(project, proposal, workers=workers)
    assert len(workers) == 2
    assert in_full(ahead) == in_full(prove(project, proposal))
    assert bool(ahead.findings) == bool(files)
    assert all(worker.process.poll() is not None for worker in workers)


def test_workers_that_are_not_asked_are_gone(tmp_path):
    with pytest.raises(KeyError), workers_ahead(shop(tmp_path).project.runtime()) as workers:
        raise KeyError
    assert [worker.process.poll() is not None for worker in workers] == [True, True]


def test_without_settings_there_are_none(tmp_path):
    project = replace(shop(tmp_path).project, settings_module="")
    with workers_ahead(project.runtime() if project.runnable else None) as workers:
        assert not workers


@pytest.mark.fresh
def test_nothing_of_the_project_is_imported_before_its_files_are_known(tmp_path):
    site = shop(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", READY], cwd=site.root, env=os.environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False False True\nconfig\n"
