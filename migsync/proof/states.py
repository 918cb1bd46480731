"""Two project states compared, app by app: pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from migsync.findings import Finding
from migsync.findings.proof import field_order, state_differs
from migsync.worker.protocol import RenderedModel, RenderedState


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
                yield state_differs(app=app, model=before[model].name, before=before[model].name)
            elif model not in before:
                yield state_differs(app=app, model=after[model].name, after=after[model].name)
            else:
                yield from _model(app, before[model], after[model])


def _model(app: str, before: RenderedModel, after: RenderedModel) -> Iterator[Finding]:
    model = before.name
    for part, old, new in (("name", before.name, after.name), ("bases", before.bases, after.bases)):
        if old != new:
            yield state_differs(app=app, model=model, part=part, before=old, after=new)
    yield from _items(app, model, "field", before.fields, after.fields)
    yield from _items(app, model, "option", before.options, after.options)
    yield from _items(app, model, "manager", before.managers, after.managers)
    # Mappings are equal in any order; lists of their keys are not.
    if before.managers == after.managers and list(before.managers) != list(after.managers):
        yield state_differs(app=app, model=model, part="manager")
    if before.fields == after.fields and list(before.fields) != list(after.fields):
        yield field_order(app=app, model=model, before=list(before.fields), after=list(after.fields))


def _items(app: str, model: str, part: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Finding]:
    for item in sorted(before.keys() | after.keys()):
        old, new = before.get(item), after.get(item)
        if old != new:
            yield state_differs(app=app, model=model, part=part, item=item, before=old, after=new)
