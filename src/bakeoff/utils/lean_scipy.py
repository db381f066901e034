"""Imports SciPy's special functions without tools that NumPy has on offer, such as f2py.

SciPy looks at every name that NumPy has, which imports what NumPy keeps until it is asked for: a
third of the time. While it looks, empty modules stand there. For processes that are Bakeoff's
alone: elsewhere somebody may ask NumPy for them at that moment.
"""

from contextlib import suppress
from types import ModuleType

import numpy

_KEPT = ("ctypeslib", "f2py", "matlib", "testing")
_empty = {name: ModuleType(name) for name in _KEPT if name not in vars(numpy)}
vars(numpy).update(_empty)
try:
    with suppress(ImportError, AttributeError):  # a SciPy that needs them imports as ever later on
        import scipy.special  # noqa: F401
finally:
    for _name, _module in _empty.items():
        if vars(numpy)[_name] is _module:
            del vars(numpy)[_name]
