"""Statements about the apps of installed packages: only where a person says that this is meant."""

from __future__ import annotations

import shlex
from collections.abc import Collection

from migsync.errors import UsageError
from migsync.history.graph import History
from migsync.sync.plan_request import PlanRequest
from migsync.words import text_list


def with_stated(history: History, apps: Collection[str], request: PlanRequest) -> History:
    """`history` where the statements of `request`, which are about `apps`, may speak of installed packages.

    Raises UsageError for an app of a package without ``--third-party``, and for one of the project's own with it.
    """
    packaged = sorted(app for app in apps if app in history.apps and app not in history.first_party)
    if not request.third_party:
        if packaged:
            raise _unasked(packaged[0], request)
        return history
    if own := sorted(history.first_party.intersection(apps)):
        raise UsageError(
            f"--third-party: {text_list(own)} {'is an app' if len(own) == 1 else 'are apps'} of this project.",
            "The option is for rewrites about apps of installed packages.",
            "Leave it out. Write two rewrites, with two commands, if you mean both.",
        )
    return history.with_rewritten(packaged)


def _unasked(app: str, request: PlanRequest) -> UsageError:
    options = (("--map", request.maps), ("--collapse", request.collapses), ("--remove", request.removes))
    words = [
        word
        for option, values in (*options, ("--new", request.news))
        for value in values
        if value.startswith(f"{app}.")
        for word in (option, value)
    ]
    return UsageError(
        f"{app} is installed, but is not this project's own app.",
        "migsync changes the records of an installed package only with a rewrite that is meant for it.",
        f"To write one: {shlex.join(['migsync', 'rewrite', '--third-party', *words])}",
    )
