"""The Django app: ``INSTALLED_APPS += ["migsync.companion"]`` brings ``manage.py migsync`` and guards ``migrate``."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import pre_migrate


class CompanionConfig(AppConfig):
    """migsync inside Django. It has no models and no migrations."""

    name = "migsync.companion"
    label = "migsync"
    verbose_name = "migsync"

    def ready(self) -> None:
        """Register the checks, and what stops a ``migrate`` that nothing else guards."""
        import_module("migsync.companion.checks")
        pre_migrate.connect(import_module("migsync.companion.tenants").before_migrate)
