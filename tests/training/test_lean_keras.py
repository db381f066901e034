"""Keras as workers import it: without what it takes along, which can still be imported later.

Oracle: the modules of a process that has imported the engine so. Cost: 2 s, an import of Keras.
Run: pytest tests/training/test_lean_keras.py
"""

import subprocess
import sys

PROGRAM = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
along = {"IPython", "matplotlib", "pandas", "requests", "sklearn"}
print(*sorted((along | {"keras"}) & set(sys.modules)))
import sklearn.linear_model
from bakeoff.training.backend import keras
print(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).count_params())
"""


def test_workers_import_keras_and_nothing_that_it_takes_along(server_imports):
    words = [sys.executable, "-c", PROGRAM, *server_imports]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr, done.returncode) == ("keras\n8\n", "", 0)
