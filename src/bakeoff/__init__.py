"""Compare small image classifiers honestly.

>>> import bakeoff
>>> result = bakeoff.run("digits", seeds=3)
>>> result.plot_accuracy()
>>> bakeoff.compare("studies/digits").recommended

`run` carries a recipe out, `compare` reads finished studies, `Study` is a recipe in Python; each
of them gives a `Result`. docs/python.md tells more.

Importing it loads neither Keras nor JAX. Where nobody has chosen a backend for Keras, it chooses
JAX, so that `import keras` works in an environment that has no TensorFlow.
"""

import sys

if sys.platform == "win32":  # before anything is imported that is not there
    _SUPPORTED = (
        "bakeoff runs on Linux and macOS; on Windows, in WSL, the Windows Subsystem for Linux: "
        "`wsl --install` once, then install and run it there as on Linux (docs/install.md)"
    )
    if sys.argv[0] == "-m" or sys.argv[0].replace("\\", "/").rpartition("/")[2] in (
        "bakeoff",
        "bakeoff.exe",
    ):
        sys.stderr.write(f"{_SUPPORTED}\n")
        raise SystemExit(2)  # of the command; an import gets an error that it can catch
    raise ImportError(_SUPPORTED)

import json
import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bakeoff.errors import BakeoffError

if TYPE_CHECKING:
    from bakeoff.study.classifier import Classifier
    from bakeoff.study.result import Result
    from bakeoff.study.study import Study, compare, run

    __version__: str

__all__ = ["BakeoffError", "Classifier", "Result", "Study", "__version__", "compare", "run"]

_HOMES = {
    "Classifier": "bakeoff.study.classifier",
    "Result": "bakeoff.study.result",
    **dict.fromkeys(("Study", "compare", "run"), "bakeoff.study.study"),
}


if not TYPE_CHECKING:  # or a type checker would take every name for one that is here

    def __getattr__(name: str) -> Any:
        """Import what is asked for only then: `import bakeoff` itself stays light."""
        if name == "__version__":
            return import_module("importlib.metadata").version("bakeoff")
        if name not in _HOMES:
            raise AttributeError(f"module 'bakeoff' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Name what is public, so that a notebook completes it."""
    return sorted(__all__)


def _choose_backend() -> None:
    """Let Keras use JAX where nobody chose: Keras's own default would be TensorFlow."""
    if "KERAS_BACKEND" in os.environ or "keras" in sys.modules or find_spec("tensorflow"):
        return
    home = Path(os.environ.get("KERAS_HOME") or Path("~").expanduser() / ".keras")
    try:
        chosen = json.loads((home / "keras.json").read_text(encoding="utf-8")).get("backend")
    except (OSError, ValueError, AttributeError):
        chosen = None
    if chosen in (None, "tensorflow"):  # Keras writes "tensorflow" there itself
        os.environ["KERAS_BACKEND"] = "jax"


_choose_backend()
