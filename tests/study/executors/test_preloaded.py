"""What the fork server has before it is asked for a worker.

Oracle: a fresh process's modules and garbage collector. Cost: 3 s.

Run: pytest tests/study/executors/test_preloaded.py
"""

import subprocess
import sys

CODE = """
import gc, sys
import bakeoff.study.executors.preloaded
print(gc.isenabled(), gc.get_freeze_count() > 100_000)
wanted = {"keras", "jax", "bakeoff.training.trainer", "bakeoff.study.jobs.job"}
print(sorted(wanted - set(sys.modules)))
"""


def test_the_engine_is_there_and_its_objects_are_no_garbage():
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert run.stdout == "True True\n[]\n"
