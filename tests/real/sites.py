"""Large public projects and apps, and how each becomes a project whose migration files are its own copies.

Each needs a Python that has it and this migsync, at ``DIRECTORY/NAME/bin/python`` where MIGSYNC_TEST_SITES is the
directory; see tests/benchmarks/REAL.md. No code of theirs is kept here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tests.real.project import CONTRIB, Kind

APPS = """\
import os

{{databases}}
INSTALLED_APPS = {apps!r}
MIGRATION_MODULES = {{modules!r}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    *{middleware!r},
]
TEMPLATES = [
    {{{{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {{{{"context_processors": {processors!r}}}}},
    }}}}
]
LANGUAGES = [("en", "English")]
LANGUAGE_CODE = "en"
ROOT_URLCONF = "project.urls"
SECRET_KEY = "not a secret"
SILENCED_SYSTEM_CHECKS = ["mysql.E001"]
SITE_ID = 1
STATIC_URL = "/static/"
USE_TZ = True
{extra}
"""

SITE = """\
import os

{before}
from {module} import *

{{databases}}
MIGRATION_MODULES = {{modules!r}}
SILENCED_SYSTEM_CHECKS = ["mysql.E001"]
"""

ALLAUTH = ("allauth", "allauth.account", "allauth.socialaccount", "allauth.mfa", "allauth.usersessions")
CMS = ("cms", "menus", "treebeard", "sekizai", "djangocms_alias", "djangocms_versioning", "django_fsm", "parler")
MACHINA = (
    "machina",
    "machina.apps.forum",
    "machina.apps.forum_conversation",
    "machina.apps.forum_conversation.forum_attachments",
    "machina.apps.forum_conversation.forum_polls",
    "machina.apps.forum_feeds",
    "machina.apps.forum_moderation",
    "machina.apps.forum_search",
    "machina.apps.forum_tracking",
    "machina.apps.forum_member",
    "machina.apps.forum_permission",
    "mptt",
    "haystack",
    "widget_tweaks",
)
ONLY_POSTGRESQL = ("netbox", "saleor")
LABEL_STUDIO = (
    "core",
    "data_export",
    "data_import",
    "data_manager",
    "fsm",
    "io_storages",
    "jwt_auth",
    "labels_manager",
    "ml",
    "ml_model_providers",
    "ml_models",
    "organizations",
    "projects",
    "session_policy",
    "tasks",
    "users",
    "webhooks",
)
NETBOX = (
    "account",
    "circuits",
    "core",
    "dcim",
    "extras",
    "ipam",
    "netbox",
    "tenancy",
    "users",
    "virtualization",
    "vpn",
    "wireless",
)
HAYSTACK = 'HAYSTACK_CONNECTIONS = {{"default": {{"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}}}'
MACHINA_SETTINGS = (
    'CACHES = {{"default": {{"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}, '
    '"machina_attachments": {{"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}}}\n' + HAYSTACK
)


PROCESSORS = [
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "django.template.context_processors.request",
    "django.template.context_processors.i18n",
]


def of_apps(packages: Sequence[str], apps: Sequence[str], *middleware: str, extra: str = "") -> Kind:
    """A project that installs these apps, beside Django's own."""
    contrib = [f"django.contrib.{app}" for app in (*CONTRIB, "sites")]
    processors = [*PROCESSORS, *(["sekizai.context_processors.sekizai"] if "sekizai" in apps else [])]
    settings = APPS.format(apps=[*contrib, *apps], extra=extra, middleware=middleware, processors=processors)
    return Kind(tuple(packages), settings, python_of("apps"))


def of_site(name: str, module: str, *packages: str, before: str = "", **environment: str) -> Kind:
    """A site that is a project by itself, and brings its own settings."""
    return Kind(packages, SITE.format(module=module, before=before), python_of(name), tuple(environment.items()))


def python_of(name: str) -> str:
    """The Python of one environment; it may be missing."""
    return str(Path(os.environ.get("MIGSYNC_TEST_SITES", "/nowhere"), name, "bin", "python"))


def kinds() -> dict[str, Kind]:
    """Every project that there is a recipe for, by name."""
    return {
        "django-cms": of_apps(
            ("cms", "djangocms_alias", "djangocms_versioning"), CMS, extra="CMS_CONFIRM_VERSION4 = True"
        ),
        "django-filer": of_apps(("filer", "easy_thumbnails"), ("filer", "easy_thumbnails", "mptt")),
        "django-machina": of_apps(("machina",), MACHINA, extra=MACHINA_SETTINGS),
        "django-allauth": of_apps(("allauth",), ALLAUTH, "allauth.account.middleware.AccountMiddleware"),
        "django-celery-beat": of_apps(("django_celery_beat",), ("django_celery_beat",)),
        "django-helpdesk": of_apps(
            ("helpdesk",), ("helpdesk", "rest_framework"), extra="HELPDESK_TEAMS_MODE_ENABLED = False"
        ),
        "django-oauth-toolkit": of_apps(("oauth2_provider",), ("oauth2_provider",)),
        "django-taggit": of_apps(("taggit",), ("taggit",)),
        "pretix": of_site("pretix", "pretix.settings", "pretix", PRETIX_DATA_DIR="data", DATA_DIR="data"),
        "label-studio": of_site(
            "labelstudio",
            "core.settings.base",
            *LABEL_STUDIO,
            before="import sys, label_studio\nsys.path.insert(0, os.path.dirname(label_studio.__file__))\n"
            "SECRET_KEY = 'not a secret'",
        ),
        "mayan-edms": of_site("mayan", "mayan.settings.production", "mayan", MAYAN_MEDIA_ROOT="media"),
        "saleor": of_site("saleor", "saleor.settings", "saleor", SECRET_KEY="not a secret", DEBUG="True"),
        "netbox": of_site("netbox", "netbox.settings", *NETBOX, NETBOX_CONFIGURATION="netbox.configuration_testing"),
    }
