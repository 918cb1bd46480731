"""The examples of the documentation: for each code, what a test of ours really made.

To write them anew after texts have changed, or for new codes::

    rm -f found.jsonl
    MIGSYNC_TEST_FINDINGS=$PWD/found.jsonl python -m pytest -n auto
    python -m tests.examples found.jsonl

An example stays with its test as long as that makes the code. Each time one of these tests runs, tests/conftest.py
checks that it still does; tests/test_catalogue.py checks that the sentences are still made of these facts.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[1] / "docs" / "reference" / "examples.json"
PREFERRED = ("tests/pitfalls/", "tests/cli/", "tests/sync/", "tests/refactor/", "tests/")
"""Where an example comes from if it can: what a person would see is before what a part alone does."""
PLACES = re.compile(r"/tmp/(?:pytest-of-\w+/pytest-\d+/(?:popen-\w+/)?)?[^/\s'\"]+(/(?:project|shop)(?=/shop/))?")
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
    """What :mod:`tests.recorder` wrote, without the directories of this machine."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield _elsewhere(json.loads(line))


def chosen(found: list[Example], before: dict[str, Example]) -> dict[str, Example]:
    """One example for each code: from the test that gave it before, else from the best place."""
    by_code = defaultdict(list)
    for example in found:
        if example["test"]:
            by_code[example["code"]].append(example)

    def order(example: Example) -> tuple[bool, bool, int, str]:
        old = before.get(example["code"], {}).get("test")
        test = example["test"]
        place = next((number for number, each in enumerate(PREFERRED) if test.startswith(each)), len(PREFERRED))
        # A state on SQLite can be copied, and so the hint be tried; see tests/hints.py.
        return test != old, "postgresql" in test or "mysql" in test, place, test

    return {code: min(all_, key=order) for code, all_ in sorted(by_code.items())}


def _elsewhere(value: Any) -> Any:
    if isinstance(value, str):
        return PLACES.sub(PROJECT, value)
    if isinstance(value, list):
        return [_elsewhere(each) for each in value]
    return {name: _elsewhere(each) for name, each in value.items()} if isinstance(value, dict) else value


def main() -> None:
    before = examples()
    new = before | chosen([example for each in sys.argv[1:] for example in recorded(Path(each))], before)
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(json.dumps(new, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{len(new)} examples, {len(new) - len(before)} of them new")


if __name__ == "__main__":
    main()
