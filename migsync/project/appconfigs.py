"""Django's choice of an AppConfig, worked out from syntax trees (the rules are ``AppConfig.create``'s).

Nothing is guessed: where a class or a value cannot be told without running it, :class:`Unclear` says why, and Django's
registry has to be asked.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from migsync.project.module_names import ATTRIBUTES, END, Bound, Import, ModuleNames, Patch, statements
from migsync.project.modules import Module, Modules

BASE: Final = ("django.apps.AppConfig", "django.apps.config.AppConfig")


class Unclear(Exception):
    """What an entry of INSTALLED_APPS stands for cannot be told statically."""


@dataclass(frozen=True)
class InstalledApp:
    """One entry of INSTALLED_APPS: the app's label and the dotted name of its package."""

    label: str
    name: str


@dataclass(frozen=True)
class _Computed:
    """An attribute whose value is known only at run time."""


_COMPUTED: Final = _Computed()
_Value = str | bool | _Computed


@dataclass(frozen=True)
class ConfigClass:
    """A class, as far as it matters here. `config` is True for AppConfig and what is derived from it."""

    name: str
    config: bool = False
    attributes: dict[str, _Value] = field(default_factory=dict)

    def app(self) -> InstalledApp:
        """The app that an AppConfig of this class is for; raises Unclear."""
        return InstalledApp(self.label(), self._text("name"))

    def label(self) -> str:
        """The label alone: an app's files may be read where its dotted name is of no use. Raises Unclear."""
        if "label" in self.attributes:
            return self._text("label")
        return self._text("name").rpartition(".")[2]

    def _text(self, attribute: str) -> str:
        value = self.attributes.get(attribute)
        if isinstance(value, str):
            return value
        raise Unclear(f"the {attribute} of {self.name} is computed" if value else f"{self.name} has no {attribute}")


_PLAIN: Final = ConfigClass("object")
_APP_CONFIG: Final = ConfigClass("AppConfig", config=True)


class AppConfigs:
    """Reads AppConfig classes out of the modules that are found."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self._names: dict[str, ModuleNames] = {}
        self._classes: dict[tuple[str, str, int], ConfigClass | None] = {}
        self._open: set[tuple[str, str, int]] = set()

    def installed(self, entry: str) -> InstalledApp:
        """The app that an entry of INSTALLED_APPS stands for; raises Unclear."""
        package = self.modules.find(entry)
        if package is not None:
            found = self.default(package)
            return found.app() if found else InstalledApp(entry.rpartition(".")[2], entry)
        place, _, name = entry.rpartition(".")
        module = self.modules.find(place) if place else None
        if module is None:
            raise Unclear(f"no module {entry!r} is found")
        named = self._resolve(module, name)
        if named is None or not named.config:
            raise Unclear(f"{place} holds no AppConfig {name!r}")
        return named.app()

    def default(self, package: Module) -> ConfigClass | None:
        """The AppConfig that Django takes by itself from a package's ``apps`` module, None for Django's own."""
        apps = self.modules.find(f"{package.name}.apps") if package.locations is not None else None
        return None if apps is None else self.choose(apps)

    def choose(self, apps: Module) -> ConfigClass | None:
        """The only AppConfig in a module, or the only one with ``default = True``."""
        if apps.tree is None:
            raise Unclear(f"{apps.file or apps.name} cannot be read")
        # Names and not classes, as in Django: `Alias = ShopConfig` makes two candidates of one class. A star import is
        # a name as well; what it brings is Unclear, unless its module can have no AppConfig.
        resolved = (self._resolve(apps, name) for name in self._bound(apps).names)
        candidates = [found for found in resolved if found and found.config and found is not _APP_CONFIG]
        # The filter below would take a computed value for True, and choose where Django may not.
        if any(found.attributes.get("default") is _COMPUTED for found in candidates):
            raise Unclear(f"which AppConfig of {apps.file} is the default is computed")
        # The rules of AppConfig.create(): `default = False` is out; a single one is taken even without `default`; of
        # several the one with `default = True`; else none, and Django uses its own AppConfig.
        candidates = [found for found in candidates if found.attributes.get("default", True)]
        if len(candidates) == 1:
            return candidates[0]
        defaults = [found for found in candidates if found.attributes.get("default")]
        if len(defaults) > 1:
            raise Unclear(f"{apps.file} declares more than one default AppConfig")
        return defaults[0] if defaults else None

    def _bound(self, module: Module) -> ModuleNames:
        if module.name not in self._names:
            if module.tree is None:
                raise Unclear(f"{module.file or module.name} cannot be read")
            self._names[module.name] = ModuleNames(module)
        return self._names[module.name]

    def _resolve(self, module: Module, name: str, place: int = END) -> ConfigClass | None:
        """The class that `name` is at a place of a module, None when it is no class that could matter."""
        key = (module.name, name, place)
        if key in self._classes:
            return self._classes[key]
        # Inside a module each step leads to an earlier place, so only imports can lead back to where they began.
        if key in self._open:
            raise Unclear(f"{name} in {module.file} is imported in a circle")
        self._open.add(key)
        try:
            self._classes[key] = self._look(module, name, place)
        finally:
            self._open.discard(key)
        return self._classes[key]

    def _look(self, module: Module, name: str, place: int) -> ConfigClass | None:
        bound = self._bound(module).at(name, place)
        found = [self._binding(module, name, *one) for one in bound if not isinstance(one[0], Patch)]
        patched = len(found) < len(bound)
        # A name that is only patched comes out of a star import.
        found = found or [self._elsewhere(module, name, place)]
        # For example a class in `try:` and another one in `except ImportError:`: only running tells which it is.
        if (len(found) > 1 or patched) and any(one and one.config for one in found):
            raise Unclear(f"{name} in {module.file} is bound in more than one place")
        return found[0]

    def _binding(self, module: Module, name: str, binding: Bound, place: int) -> ConfigClass | None:
        if isinstance(binding, Import):
            return self._imported(binding)
        if isinstance(binding, ast.ClassDef):
            return self._class(module, binding, place)
        if isinstance(binding, (ast.Name, ast.Attribute)):
            return self._expression(module, binding, place)
        # `ShopConfig = make_config()` may be an AppConfig. By the usual spelling of names, `logger = getLogger()` and
        # `T = TypeVar("T")` are none, and asking Django for each of these would be slow.
        if isinstance(binding, ast.Call) and name[:1].isupper() and not name.isupper():
            raise Unclear(f"{name} in {module.file} is made by a call")
        return None

    def _imported(self, target: Import) -> ConfigClass | None:
        if f"{target.module}.{target.name}" in BASE:
            return _APP_CONFIG
        # A module as such is no class; the name behind the dot in `apps.AppConfig` is looked up by _expression().
        if not target.name or _harmless(target.module):
            return None
        if target.name == "*":
            raise Unclear(f"what {target.module} exports is not looked through")
        module = self.modules.find(target.module)
        if module is None:
            raise Unclear(f"{target.module}, which {target.name} comes from, is not found")
        return self._resolve(module, target.name)

    def _elsewhere(self, module: Module, name: str, place: int) -> ConfigClass | None:
        """A name that a module does not bind itself: a submodule, or out of a star import."""
        # `from shop import apps` finds a submodule that the package itself never mentions.
        if module.locations is not None and self.modules.find(f"{module.name}.{name}"):
            return None
        for star, _ in self._bound(module).at("*", place):
            if isinstance(star, Import):
                found = self._imported(Import(star.module, name))
                if found is not None:
                    return found
        raise Unclear(f"{module.name} does not visibly define {name}")

    def _class(self, module: Module, node: ast.ClassDef, place: int) -> ConfigClass:
        bases = [self._expression(module, base, place) or _PLAIN for base in node.bases]
        config = any(base.config for base in bases)
        # A decorator can return another class.
        if config and node.decorator_list:
            raise Unclear(f"{node.name} in {module.file} is decorated")
        attributes: dict[str, _Value] = {}
        for attribute in ATTRIBUTES:
            inherited = [base.attributes[attribute] for base in bases if attribute in base.attributes]
            if len(set(inherited)) == 1:
                attributes[attribute] = inherited[0]
            elif inherited:
                # Which one counts is a matter of the method resolution order.
                attributes[attribute] = _COMPUTED
        attributes.update(_own_attributes(node))
        return ConfigClass(node.name, config, attributes)

    def _expression(self, module: Module, node: ast.expr, place: int) -> ConfigClass | None:
        # `Mixin[int]` has the attributes of `Mixin`.
        if isinstance(node, ast.Subscript):
            return self._expression(module, node.value, place)
        if isinstance(node, ast.Name):
            if hasattr(builtins, node.id) and not self._bound(module).at(node.id, place):
                return None
            return self._resolve(module, node.id, place)
        if isinstance(node, ast.Attribute):
            owner = self._module_of(module, node.value, place)
            if owner is not None:
                return self._imported(Import(owner, node.attr))
        raise Unclear(f"line {node.lineno} of {module.file} computes a class")

    def _module_of(self, module: Module, node: ast.expr, place: int) -> str | None:
        """The dotted name of the module that an expression such as ``apps`` in ``apps.AppConfig`` stands for."""
        if isinstance(node, ast.Attribute):
            parent = self._module_of(module, node.value, place)
            return f"{parent}.{node.attr}" if parent else None
        if not isinstance(node, ast.Name):
            return None
        match self._bound(module).at(node.id, place):
            case [(Import(module=name, name=""), _)]:
                return name
            case [(Import(module=package, name=name), _)]:
                return f"{package}.{name}"
        return None


def _harmless(module: str) -> bool:
    """True for a module that has no AppConfig to import: the standard library, and Django outside its ``apps``."""
    top, _, rest = module.partition(".")
    return top in sys.stdlib_module_names or (top == "django" and not rest.endswith("apps"))


def _own_attributes(node: ast.ClassDef) -> dict[str, _Value]:
    """The attributes that a class body sets, and those that its methods may set on an instance."""
    attributes: dict[str, _Value] = {}
    for statement, certain in statements(node.body, certain=True):
        for name, value in _assigned(statement):
            if name in ATTRIBUTES:
                literal = value.value if isinstance(value, ast.Constant) else _COMPUTED
                # None is what AppConfig.label starts as: "not set".
                known = certain and isinstance(literal, (str, bool))
                attributes[name] = literal if known and isinstance(literal, (str, bool)) else _COMPUTED
        # Django reads `name` and `label` of the instance, so `self.label = …` in __init__() hides the class's own.
        if isinstance(statement, ast.FunctionDef):
            attributes.update(dict.fromkeys(_set_on_instance(statement), _COMPUTED))
    return attributes


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        # In `name, label = …` both are assigned, and neither has the whole value.
                        yield name.id, value if target is name else None
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, None


def _set_on_instance(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr in ATTRIBUTES[:2]:
            yield node.attr
