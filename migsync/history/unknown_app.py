"""The error for an app that the command line names, and with which the command can do nothing."""

from __future__ import annotations

from migsync.errors import UsageError
from migsync.history.graph import History
from migsync.words import did_you_mean, text_list

LISTED = 10


def unknown_app(app: str, history: History, meaning: str = "") -> UsageError:
    """`app` is none of this project's own apps that have migrations; `meaning` is why it has to be one."""
    known = history.apps.get(app)
    if known and (known.directory is None or (known.first_party and not history.names(app))):
        return UsageError(
            f"The app {app} has no migrations.",
            "" if known.directory else "It has no migrations package.",
            f"To make its first migration: python manage.py makemigrations {app}",
        )
    own = sorted(label for label in history.first_party if history.names(label))
    listed = f"This project's own apps with migrations: {text_list(own, LISTED) or 'none'}."
    what = "is installed, but is not this project's own app" if known else "is not an app of this project"
    return UsageError(f"{app} {what}.", "\n".join(filter(None, (meaning, did_you_mean(app, own, listed)))))
