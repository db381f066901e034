"""Imports SciPy's special functions without what they do not need: a third of the time.

SciPy looks at every name that NumPy has, which imports what NumPy keeps until it is asked for, and
writes a table into the docstring of each function. While it looks, empty modules stand there, and
no tables are written. For processes that are Bakeoff's alone: elsewhere somebody may ask NumPy for
those modules at that moment.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

import numpy

_KEPT = ("ctypeslib", "f2py", "ma", "matlib", "polynomial", "random", "testing")


@contextmanager
def _names(module: ModuleType, others: dict[str, Any]) -> Iterator[None]:
    """Give a module other names for a while; what somebody else set meanwhile stays."""
    missing = object()
    before = {name: vars(module).get(name, missing) for name in others}
    vars(module).update(others)
    try:
        yield
    finally:
        for name, then in before.items():
            if vars(module)[name] is not others[name]:
                continue
            if then is missing:
                del vars(module)[name]
            else:
                vars(module)[name] = then


def _no_table(*_: Any, **__: Any) -> Callable[[Any], Any]:
    return lambda function: function


_empty = {name: ModuleType(name) for name in _KEPT if name not in vars(numpy)}
# A SciPy that needs them, or has no such tables, imports as ever later on.
with suppress(ImportError, AttributeError), _names(numpy, _empty):
    from scipy._lib import _array_api

    with _names(_array_api, {"xp_capabilities": _no_table}):
        import scipy.special  # noqa: F401
