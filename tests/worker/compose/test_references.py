"""Which names a piece of source looks up in its module, judged by Python's own symbol tables and by running it."""

from __future__ import annotations

import ast
import importlib.util
import itertools
import symtable
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migsync.history.references import references
from migsync.worker.compose.copies import copied_definitions
from migsync.worker.compose.definitions import Definition, Definitions
from migsync.worker.compose.migration_module import MigrationModule
from migsync.worker.compose.namespace import named
from tests.profiles import examples

STANDARD = ["argparse", "ast", "dataclasses", "enum", "functools", "inspect", "pickle", "tarfile", "typing", "uuid"]
NAMES = ("a", "b", "_c", "D")


def found(source: str) -> set[str]:
    tree = ast.parse(source)
    return {it.name for statement in tree.body for it in references(statement) if not it.owner}


def global_names(table: symtable.SymbolTable) -> set[str]:
    """What Python itself looks up in the module."""
    own = set()
    for symbol in table.get_symbols():
        if table.get_type() == "module" or symbol.is_global():
            own.add(symbol.get_name())
    return own.union(*(global_names(child) for child in table.get_children()))


@pytest.mark.parametrize("module", STANDARD)
def test_of_real_modules_the_names_are_those_that_python_finds(module):
    source = Path(sysconfig.get_path("stdlib"), f"{module}.py").read_text()
    expected = global_names(symtable.symtable(source, module, "exec"))
    assert expected - found(source) <= not_looked_up(source)
    # A class may read a name of the module before it binds its own.
    extra = found(source) - expected
    assert extra <= {it.name for it in _loads_in_classes(source)}


def not_looked_up(source: str) -> set[str]:
    """What the symbol tables of some Pythons name besides: __class__, and variables of comprehensions."""
    loops = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.comprehension))
    inside = {it.id for loop in loops for it in ast.walk(loop.target) if isinstance(it, ast.Name)}
    return {"__class__", *(inside if sys.version_info >= (3, 12) else ())}


def _loads_in_classes(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            yield from (it for statement in node.body for it in references(statement))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(a, b=b): return a + b", {"f", "b"}),
        ("def f():\n    global g\n    g = 1", {"f", "g"}),
        ("x = [a for a in b if c for c in a]", {"x", "b"}),
        ("class K:\n    a = a\n    def m(self): return a", {"K", "a"}),
        ("class K:\n    a = 1\n    b = [a for _ in c]", {"K", "a", "c"}),
        ("class K:\n    a = 1\n    b = a", {"K"}),
        ("def f():\n    def g():\n        nonlocal a\n        a = 2\n    a = 1\n    return g", {"f"}),
        ("f = lambda a: (a, b)", {"f", "b"}),
        ("def f():\n    if (n := 10): return [y for y in (m := [n])]\n    return m", {"f"}),
        ("try:\n    import a.b\nexcept E as e:\n    a = None", {"a", "E", "e"}),
        ("def f(x):\n    match x:\n        case {'k': v, **rest}: return v, rest, w", {"f", "w"}),
        ('t = f"{a!r:>{b}} c"', {"t", "a", "b"}),
        ("x.y = z.w", {"x", "z"}),
    ],
)
def test_scopes(source, expected):
    assert found(source) == expected


# --- names made unique -------------------------------------------------------------------------------------------


def _definition(name: str, earlier: tuple[str, ...]) -> st.SearchStrategy[str]:
    forms = [
        st.integers(0, 2).map(lambda number: f"{name} = {number}"),
        st.just(f"from math import pi as {name}"),
        st.just(f"import math as {name}"),
        st.just(f"try:\n    from math import {name}\nexcept ImportError:\n    {name} = 'none'"),
    ]
    if earlier:
        other = st.sampled_from(earlier)
        forms += [
            other.map(lambda it: f"def {name}():\n    # {it} and {name}\n    return ['{it}', show({it})]"),
            other.map(lambda it: f"def {name}({it}={it}):\n    return show({it})"),
            other.map(lambda it: f"def {name}():\n    {it} = 'local'\n    return {it}"),
            other.map(lambda it: f"class {name}:\n    {it} = {it}\n    def __call__(self):\n        return show({it})"),
            other.map(
                lambda it: f"def {name}():\n    global {it}\n    {it} = [show({it})]\n    return f'{{show({it})}}'"
            ),
        ]
    return st.one_of(forms)


@st.composite
def _module(draw) -> str:
    texts = [draw(_definition(name, NAMES[:place])) for place, name in enumerate(NAMES)]
    return "\n".join([SHOW, *texts, "class Migration:\n    pass\n"])


SHOW = """\
def show(value):
    while callable(value):
        value = value()
    return getattr(value, "__name__", value)
"""
numbers = itertools.count()


def _imported(path: Path, text: str):
    """A module of its own for each text: names are looked up by the module's."""
    name = f"number_{next(numbers)}.{path.stem}"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@settings(max_examples=examples(60, 120), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_module(), min_size=2, max_size=3), st.data())
def test_what_is_carried_from_several_modules_does_what_it_did(tmp_path, texts, data):
    modules = [_imported(tmp_path / f"{number:04}_m.py", text) for number, text in enumerate(texts)]
    gathering = Definitions({module.__name__: MigrationModule(module) for module in modules})
    wanted = [
        meaning
        for module in modules
        for name in data.draw(st.permutations(NAMES))
        if isinstance(meaning := gathering.meaning(gathering.modules[module.__name__], name), Definition)
    ]
    for definition in wanted:
        gathering.want(definition)
    names = named(gathering, {}, {"Migration"}, [])
    imports = {
        names.name(meaning, local): local
        for uses in gathering.uses.values()
        for local, meaning in uses.items()
        if isinstance(meaning, tuple)
    }
    assert set(imports) <= {*names.names.values()}
    text = _imports(names, gathering) + copied_definitions(names, "elsewhere")
    namespace: dict[str, object] = {"__name__": "made"}
    exec(compile(text, "made", "exec"), namespace)
    for definition in wanted:
        module = next(it for it in modules if it.__name__ == definition.module)
        expected = module.show(vars(module)[definition.name])
        assert modules[0].show(namespace[names.name(definition, definition.name)]) == expected, text


def _imports(names, gathering) -> str:
    lines = set()
    for uses in gathering.uses.values():
        for local, meaning in uses.items():
            if isinstance(meaning, tuple):
                imported, name = meaning[-1], names.name(meaning, local)
                what = f"from {imported.module} import {imported.attribute}" if imported.attribute else "import math"
                lines.add(f"{what} as {name}\n")
    return "".join(sorted(lines))
