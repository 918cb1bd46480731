"""Two project states compared, app by app: pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from migsync.findings import Finding, Severity
from migsync.worker.protocol import RenderedModel, RenderedState

DIFFERS = "state-differs"
MEANING = "The new files do not make the models that the old ones made: their order matters here."


def relabelled(state: RenderedState, labels: Mapping[str, str]) -> RenderedState:
    """The state with apps under their new labels, in references to models too, and their tables' names as they were."""
    if not labels:
        return state
    # What refers to a model is rendered as 'shop.product'. A label elsewhere in a text is not meant.
    reference = re.compile(rf"(?<=')({'|'.join(map(re.escape, labels))})(?=\.\w+')")

    def renamed(text: str) -> str:
        return reference.sub(lambda found: labels[found[1]], text)

    def all_renamed(texts: Mapping[str, str]) -> dict[str, str]:
        return {name: renamed(text) for name, text in texts.items()}

    def model(app: str, key: str, model: RenderedModel) -> RenderedModel:
        options = _with_table(app, key, model.options) if app in labels else model.options
        return RenderedModel(
            renamed(model.name),
            all_renamed(model.fields),
            all_renamed(options),
            renamed(model.bases),
            all_renamed(model.managers),
        )

    return {
        labels.get(app, app): {key: model(app, key, each) for key, each in models.items()}
        for app, models in state.items()
    }


def _with_table(app: str, model: str, options: Mapping[str, str]) -> dict[str, str]:
    """The options of a model with the name that its table has by its app's label, where nothing else states one."""
    # Django names a table by the label. So that tables keep their names under a new label, the new files state them as
    # db_table, and the old ones have to be read as if they did.
    default = {} if options.get("proxy") == "True" else {"db_table": repr(f"{app}_{model}")}
    return dict(sorted({**default, **options}.items()))


def equal_apps(old: RenderedState, new: RenderedState) -> int:
    """How many apps have the same models on both sides, the order of fields left aside."""
    return sum(old.get(app) == new.get(app) for app in old.keys() | new.keys())


def differences(old: RenderedState, new: RenderedState) -> Iterator[Finding]:
    """Every difference, one by one. The order of fields alone refuses nothing: the columns are the same set."""
    for app in sorted(old.keys() | new.keys()):
        before, after = old.get(app, {}), new.get(app, {})
        for model in sorted(before.keys() | after.keys()):
            if model not in after:
                yield _difference(app, f"The model {app}.{before[model].name} is no longer made.")
            elif model not in before:
                yield _difference(app, f"The model {app}.{after[model].name} is made, and was not before.")
            else:
                yield from _model(app, before[model], after[model])


def _model(app: str, before: RenderedModel, after: RenderedModel) -> Iterator[Finding]:
    name = f"{app}.{before.name}"
    for part, old, new in (("name", before.name, after.name), ("bases", before.bases, after.bases)):
        if old != new:
            yield _difference(app, f"The {part} of {name}: {old} before, {new} after.")
    yield from _items(app, name, "field", before.fields, after.fields)
    yield from _items(app, name, "option", before.options, after.options)
    yield from _items(app, name, "manager", before.managers, after.managers)
    if list(before.managers) != list(after.managers) and before.managers == after.managers:
        yield _difference(app, f"The managers of {name} come in another order, so that its default manager may differ.")
    # Mappings are equal in any order; lists of their keys are not.
    if before.fields == after.fields and list(before.fields) != list(after.fields):
        yield Finding(
            "field-order",
            Severity.WARNING,
            f"The fields of {name} come in another order: {_moved(before.fields, after.fields)}.",
            "A database made from scratch has the same columns in another order. Django does not mind.",
            app=app,
        )


def _items(app: str, model: str, word: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Finding]:
    for item in sorted(before.keys() | after.keys()):
        old, new = before.get(item), after.get(item)
        if old != new:
            yield _difference(
                app, f"The {word} {item} of {model}: {old or f'no such {word}'} before, {new or 'none'} after."
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
