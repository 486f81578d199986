"""Which functions of the nouns a door calls that change something: found in the code, listed by nobody."""

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

from tocsin.journal.acts import act
from tocsin.store import locks

WRITERS = (act, locks.writer)
DOORS = "tocsin.doors."


def acting_services(door: str) -> set[str]:
    """`cases.sealing.seal_case` and the like: every acting function of a noun that a door's code names."""
    package = importlib.import_module(DOORS + door)
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    named = {one for module in modules for one in _functions(ast.parse(inspect.getsource(module)), module)}
    return {
        f"{one.__module__}.{one.__name__}".removeprefix("tocsin.")
        for one in named
        if not one.__module__.startswith(DOORS) and is_acting(one)
    }


@cache
def is_acting(function: FunctionType) -> bool:
    """Does it write, by itself or by what it calls?"""
    return _writes(function, set())


def _writes(function: FunctionType, seen: set[FunctionType]) -> bool:
    if function in seen:
        return False
    seen.add(function)
    source = ast.parse(textwrap.dedent(inspect.getsource(function)))
    called = list(_functions(source, function.__globals__))
    return any(one in WRITERS for one in called) or any(
        _writes(one, seen) for one in called if not one.__module__.startswith("tocsin.journal")
    )


def _functions(source: ast.AST, names: ModuleType | dict[str, Any]) -> Iterator[Callable[..., Any]]:
    """The functions of Tocsin that a piece of code names, as `name` or as `module.name`."""
    space = vars(names) if isinstance(names, ModuleType) else names
    for node in ast.walk(source):
        found: Any = None
        if isinstance(node, ast.Name):
            found = space.get(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            holder = space.get(node.value.id)
            found = getattr(holder, node.attr, None) if isinstance(holder, ModuleType) else None
        if inspect.isfunction(found) and found.__module__.startswith("tocsin."):
            yield found
