"""Histories told in a few words, without files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from migsync.history import App, History, Key, Migration, build_history


def history(apps: Mapping[str, str], *, foreign: str = "", **attributes: Mapping[str, object]) -> History:
    """``{"shop": "0001 0002 0003:0002+blog.0001"}``: each after the one before it, or after what it says.

    `attributes` are those of a migration besides, by ``shop_0002``; `foreign` an app that somebody else wrote.
    """
    found: list[Migration] = []
    for app, text in apps.items():
        above: list[Key] = []
        for word in text.split():
            name, _, after = word.partition(":")
            parents = [key(app, each) for each in after.split("+") if each != "-"] if after else above
            more = attributes.get(f"{app}_{name}", {})
            migration = Migration(Key(app, name), f"/p/{app}/{name}.py", tuple(parents))
            found.append(replace(migration, **more))  # type: ignore[arg-type]
            above = [Key(app, name)]
    return build_history(found, [App(app, f"/p/{app}", app != foreign) for app in apps])


def key(app: str, name: str) -> Key:
    return Key.parse(name) if "." in name else Key(app, name)
