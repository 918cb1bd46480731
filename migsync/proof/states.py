"""Two project states compared, app by app: pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from migsync.findings import Finding, Severity

State = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""App label -> model -> what the worker's renderer says of it."""

DIFFERS = "state-differs"
MEANING = "The new files do not make the models that the old ones made: their order matters here."
PARTS = (("fields", "field"), ("options", "option"), ("managers", "manager"))


def relabelled(state: State, labels: Mapping[str, str]) -> State:
    """The state with apps under their new labels, in references to models too, and their tables' names as they were."""
    if not labels:
        return state
    reference = re.compile(rf"(?<=')({'|'.join(map(re.escape, labels))})(?=\.\w+')")

    def renamed(value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, str):
            return reference.sub(lambda found: labels[found[1]], value)
        if isinstance(value, Mapping):
            return {key: renamed(inner) for key, inner in value.items()}
        return value

    return {
        labels.get(app, app): renamed(_with_tables(app, models) if app in labels else models)
        for app, models in state.items()
    }


def _with_tables(app: str, models: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The models of an app with the names that their tables have by its label, where nothing else states them."""

    def stated(name: str, options: Mapping[str, str]) -> dict[str, str]:
        default = {} if options.get("proxy") == "True" else {"db_table": repr(f"{app}_{name}")}
        return dict(sorted({**default, **options}.items()))

    return {name: {**model, "options": stated(name, model["options"])} for name, model in models.items()}


def equal_apps(old: State, new: State) -> int:
    """How many apps have the same models on both sides, the order of fields left aside."""
    return sum(old.get(app) == new.get(app) for app in old.keys() | new.keys())


def differences(old: State, new: State) -> Iterator[Finding]:
    """Every difference, one by one. The order of fields alone refuses nothing: the columns are the same set."""
    for app in sorted(old.keys() | new.keys()):
        before, after = old.get(app, {}), new.get(app, {})
        for model in sorted(before.keys() | after.keys()):
            if model not in after:
                yield _difference(app, f"The model {app}.{before[model]['name']} is no longer made.")
            elif model not in before:
                yield _difference(app, f"The model {app}.{after[model]['name']} is made, and was not before.")
            else:
                yield from _model(app, before[model], after[model])


def _model(app: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    name = f"{app}.{before['name']}"
    for part in ("name", "bases"):
        if before[part] != after[part]:
            yield _difference(app, f"The {part} of {name}: {before[part]} before, {after[part]} after.")
    for part, word in PARTS:
        for item in sorted(before[part].keys() | after[part].keys()):
            old, new = before[part].get(item), after[part].get(item)
            if old != new:
                yield _difference(
                    app, f"The {word} {item} of {name}: {old or f'no such {word}'} before, {new or 'none'} after."
                )
    if list(before["managers"]) != list(after["managers"]) and before["managers"] == after["managers"]:
        yield _difference(app, f"The managers of {name} come in another order, so that its default manager may differ.")
    if before["fields"] == after["fields"] and list(before["fields"]) != list(after["fields"]):
        yield Finding(
            "field-order",
            Severity.WARNING,
            f"The fields of {name} come in another order: {_moved(before['fields'], after['fields'])}.",
            "A database made from scratch has the same columns in another order. Django does not mind.",
            app=app,
        )


def _difference(app: str, found: str) -> Finding:
    return Finding(DIFFERS, Severity.ERROR, found, MEANING, app=app)


def _moved(before: Iterable[str], after: Iterable[str]) -> str:
    """Both orders, from the first field that stands elsewhere to the last."""
    old, new = list(before), list(after)
    places = [place for place, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
    first, last = places[0], places[-1] + 1
    lead, tail = "… " if first else "", " …" if last < len(old) else ""
    return " before, ".join(f"{lead}{', '.join(names[first:last])}{tail}" for names in (old, new)) + " after"
