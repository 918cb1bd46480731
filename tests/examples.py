"""The examples of the documentation: for each code, what a test of ours really made.

``python -m tests.examples`` writes them anew when texts of the catalogue have changed. For new codes, and when texts
of errors have changed, it needs to know what the tests make::

    rm -f found.jsonl
    MIGSYNC_TEST_FINDINGS=$PWD/found.jsonl python -m pytest -n auto
    python -m tests.examples found.jsonl

Instead of the whole suite, only the tests that make the code may run. An example stays with its test; for one from
another test, delete the old one from the file first. Each time one of these tests runs, tests/conftest.py checks that
it still makes the code; tests/test_catalogue.py checks that the sentences are still made of these facts.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from migsync.findings import CatalogueEntry
from migsync.findings.catalogue import catalogue
from migsync.findings.pages import pages
from migsync.key import Key
from migsync.sync.run import default_author

PATH = Path(__file__).parents[1] / "docs" / "reference" / "examples.json"
PREFERRED = ("tests/pitfalls/", "tests/cli/", "tests/sync/", "tests/refactor/", "tests/")
"""Where an example comes from if it can: what a person would see is before what a part alone does."""
PLACES = re.compile(
    r"/tmp/(?:pytest-of-\w+/pytest-\d+/(?:popen-\w+/)?)?[^/\s'\"]+(?:/project\b|/\d+(?![^/,\s])|/shop(?=/shop/))?"
)
PROJECT = "/home/me/project"

Example = dict[str, Any]


def examples() -> dict[str, Example]:
    """By code: a finding as JSON and, as `test`, the test that makes it."""
    return json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}


def codes_by_test() -> dict[str, set[str]]:
    """The codes that each test has to make."""
    found = defaultdict(set)
    for code, example in examples().items():
        found[example["test"]].add(code)
    return dict(found)


def recorded(path: Path) -> Iterator[Example]:
    """What :mod:`tests.recorder` wrote, without this machine's directories, name and user."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield _elsewhere(json.loads(line))


def chosen(found: Iterable[Example], before: dict[str, Example]) -> dict[str, Example]:
    """One example for each code: from the test that gave it before, else from the best place."""
    by_code = defaultdict(list)
    for example in found:
        if example["test"] and before.get(example["code"], example)["test"] == example["test"]:
            by_code[example["code"]].append(example)

    def order(example: Example) -> tuple[bool, int, str]:
        test = example["test"]
        place = next((number for number, each in enumerate(PREFERRED) if test.startswith(each)), len(PREFERRED))
        # A state on SQLite can be copied, and so the hint be tried; see tests/hints.py.
        return "postgresql" in test or "mysql" in test, place, test

    return {code: min(all_, key=order) for code, all_ in sorted(by_code.items())}


def stale(codes: Iterable[str], made: list[Example]) -> str:
    """What is wrong with the examples of these codes, by what their test made now; empty if nothing is."""
    for code in sorted(codes):
        texts = [_texts(example) for example in made if example["code"] == code]
        if not texts:
            return f"{code} is no longer made here"
        # The catalogue has the sentences of a finding, and tests/test_catalogue.py looks there.
        if code not in catalogue() and _texts(examples()[code]) not in texts:
            return f"the text of {code} has changed: {texts}"
    return ""


def _texts(example: Example) -> list[str]:
    """The sentences without what differs from run to run."""
    texts = (example.get(name, "") for name in ("found", "meaning", "hint"))
    return [re.sub(r"\b[0-9a-f]{8,}\b|\d+", "0", text) for text in texts]


def _elsewhere(value: Any) -> Any:
    if isinstance(value, str):
        value = PLACES.sub(PROJECT, value).replace(default_author(), "me@laptop")
        return value.replace(f"{PROJECT}/usr/", "/usr/")
    if isinstance(value, list):
        return [_elsewhere(each) for each in value]
    return {name: _elsewhere(each) for name, each in value.items()} if isinstance(value, dict) else value


def today(example: Example) -> Example:
    """The example with the sentences that the catalogue makes of its facts now; that of an error as it is."""
    entry = catalogue().get(example["code"])
    if entry is None:
        return example
    return {"test": example["test"]} | entry(**facts_of(entry, example.get("facts", {}))).as_dict()


def facts_of(each: CatalogueEntry[...], plain: dict[str, Any]) -> dict[str, Any]:
    """Facts as the entry takes them, from those in JSON, which leaves empty ones out."""
    kinds = get_type_hints(each.template)
    return {name: fact(kinds[name], plain.get(name)) for name in inspect.signature(each.template).parameters}


def fact(kind: Any, value: Any) -> Any:
    """What the annotation says, of a value in JSON; None stands for empty."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (UnionType, Union):
        inner = [part for part in parts if part is not type(None)]
        return None if value is None and len(inner) < len(parts) else fact(inner[0], value)
    if origin is not None and issubclass(origin, Mapping):
        return {fact(parts[0], name): fact(parts[1], each) for name, each in (value or {}).items()}
    if origin is tuple and parts[-1] is not Ellipsis:
        return tuple(fact(part, each) for part, each in zip(parts, value, strict=True))
    if origin is not None:
        return origin_of(origin)(fact(parts[0], each) for each in value or ())
    if kind is Key:
        return Key.parse(value)
    return kind() if value is None else kind(value)


def origin_of(origin: type) -> type:
    return frozenset if issubclass(origin, AbstractSet) else tuple


def main() -> None:
    before = examples()
    new = before | chosen([example for each in sys.argv[1:] for example in recorded(Path(each))], before)
    new = {code: today(example) for code, example in new.items() if code in pages()}
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(json.dumps(new, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{len(new)} examples; without one: {', '.join(sorted(pages().keys() - new.keys())) or 'none'}")


if __name__ == "__main__":
    main()
