"""The Django app: ``INSTALLED_APPS += ["migsync.companion"]`` brings ``manage.py migsync`` and guards ``migrate``."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class CompanionConfig(AppConfig):
    """migsync inside Django. It has no models and no migrations."""

    name = "migsync.companion"
    label = "migsync"
    verbose_name = "migsync"

    def ready(self) -> None:
        """Register the checks."""
        import_module("migsync.companion.checks")
