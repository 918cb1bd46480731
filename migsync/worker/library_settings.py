"""Django's settings for the repository of a library, which has none: its apps, and a database in memory.

:mod:`migsync.project.library` says which apps these are. The proofs put their own scratch databases in the place of the
one here.
"""

import os

from migsync.engines import SERVERLESS
from migsync.worker.runtime import INSTALLED_VARIABLE

SECRET_KEY = "a library signs nothing"  # noqa: S105 -- it protects nothing
INSTALLED_APPS = os.environ.get(INSTALLED_VARIABLE, "").split()
DATABASES = {"default": dict(SERVERLESS.file_settings(":memory:"))}
USE_TZ = True
