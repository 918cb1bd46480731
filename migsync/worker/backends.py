"""What a database backend is underneath, for engines that migsync does not know by name."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Mapping
from typing import Any

from migsync.errors import UnknownEngine


def describe_backend(engine: str, alias: str, settings: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | None]:
    """The backend's vendor (``postgresql``, ``mysql``, ``sqlite``, …), and its connection parameters.

    The parameters are None unless the backend makes its own, as those do that fetch a token for a password: then only
    it can say them. Raises UnknownEngine for a backend that does not import or that fails.
    """
    with contextlib.redirect_stdout(sys.stderr):
        try:
            wrapper = importlib.import_module(f"{engine}.base").DatabaseWrapper
            vendor: str = wrapper.vendor
            if wrapper.get_connection_params.__module__.startswith("django."):
                return vendor, None
            return vendor, wrapper(_complete(settings), alias).get_connection_params()
        except (Exception, SystemExit) as error:
            raise UnknownEngine(
                f"The database {alias!r} has the engine {engine!r}, which cannot be loaded: {type(error).__name__}.",
                UnknownEngine.default_hint,
            ) from error


def _complete(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The alias' settings with what Django adds to them (``ConnectionHandler.configure_settings``)."""
    from django.db.utils import ConnectionHandler

    handler = ConnectionHandler({"default": dict(settings)})
    return dict(handler.settings["default"])
