"""Settings that name a model and that only a started Django has.

The settings module does not state them: an app sets them while its models are imported, as those of swapper do
(wagtail's ``WAGTAIL_PAGE_MODEL``). Django is started in a process of its own, as for the registry.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping

from migsync.errors import ProjectError
from migsync.project.process import own_process
from migsync.project.root import Root
from migsync.redaction import redact
from migsync.worker.registry import TIMEOUT


def model_settings(settings_module: str, root: Root, names: Iterable[str]) -> Mapping[str, str]:
    """Those of the settings `names` that Django has once it is set up; raises ProjectError when it does not start."""
    process = subprocess.run(  # noqa: S603 (our own module)
        own_process("migsync.worker.model_settings", root),
        input=json.dumps([sys.path, sorted(names)]),
        env={**os.environ, "DJANGO_SETTINGS_MODULE": settings_module},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if process.returncode:
        last = redact(process.stderr.strip().rpartition("\n")[2])
        raise ProjectError(f"django.setup() failed: {last or f'exit status {process.returncode}'}.")
    found: dict[str, str] = json.loads(process.stdout)
    return found


def main() -> None:
    """Write the settings as JSON to standard output; everything that the project prints goes to standard error."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path[:], names = json.load(sys.stdin)
    import django

    django.setup()
    from django.conf import settings

    values = {name: getattr(settings, name, None) for name in names}
    json.dump({name: value for name, value in values.items() if isinstance(value, str)}, answer)
    answer.close()
