"""Imports Keras without the libraries that it takes along where they are installed.

That is half of what its import takes, in time and in memory, and training needs none of it: pandas
for frames as data, matplotlib and IPython for pictures, scikit-learn for wrappers, requests for a
callback. For processes that are Bakeoff's alone: elsewhere somebody may use Keras with them.
"""

import sys

TAKEN_ALONG = ("IPython", "matplotlib", "pandas", "requests", "sklearn")
_absent = [name for name in TAKEN_ALONG if name not in sys.modules]
sys.modules.update(dict.fromkeys(_absent))  # type: ignore[arg-type]  # None: importing it fails
try:
    from bakeoff.training import backend  # noqa: F401
finally:
    for _name in _absent:
        del sys.modules[_name]
