"""SciPy's special functions, imported without tools of NumPy, which are there afterwards.

Oracle: a Student distribution by hand, at one degree of freedom. Cost: 1 s, two imports of SciPy.

Run: pytest tests/utils/test_lean_scipy.py
"""

import subprocess
import sys

PROGRAM = """
import sys
from bakeoff.utils import lean_scipy
import numpy, scipy
left_out = {f"numpy.{name}" for name in ("ctypeslib", "f2py", "ma", "random", "testing")}
print(*sorted(left_out & set(sys.modules)))
print(round(scipy.special.stdtr(1, 1), 12))
numpy.testing.assert_array_equal([1], [1])
print(callable(numpy.f2py.run_main), callable(numpy.ctypeslib.as_array), numpy.ma.masked)
print(round(scipy.stats.t.cdf(1, 1), 12), numpy.random.default_rng(0).random() < 1)
"""


def test_the_tools_are_left_out_and_can_be_asked_for_later():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("\n0.75\nTrue True --\n0.75 True\n", "")


def test_tools_that_are_there_already_stay():
    program = f"import numpy.testing; kept = numpy.testing\n{PROGRAM}print(numpy.testing is kept)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[1:] == ["0.75", "True True --", "0.75 True", "True"]
