"""The Django app, ``"migsync.companion"`` in INSTALLED_APPS: checks, the guard of ``migrate``, management commands."""
