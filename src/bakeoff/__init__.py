"""Compare small image classifiers honestly.

>>> import bakeoff
>>> result = bakeoff.Study.from_recipe("digits").run()
>>> result.recommended
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bakeoff.errors import BakeoffError

if TYPE_CHECKING:
    from bakeoff.study.result import Result
    from bakeoff.study.study import Study

__all__ = ["BakeoffError", "Result", "Study"]

_HOMES = {"Result": "bakeoff.study.result", "Study": "bakeoff.study.study"}


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: `import bakeoff` itself stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bakeoff' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
