"""Scripts run as whoever got them runs them, without Bakeoff: several in one process.

It imports Keras once, and without the libraries that Keras takes along, as a worker does.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bakeoff.training.lean_keras import TAKEN_ALONG

_END = "-- end of a script --"
_RUN = f"""
import os, runpy, sys
absent, words, *scripts = (each.split("\\n") for each in sys.argv[1:])
sys.modules.update(dict.fromkeys(absent))
for (script,) in scripts:
    os.chdir(os.path.dirname(script))
    sys.argv = [os.path.basename(script), *filter(None, words)]
    runpy.run_path(sys.argv[0], run_name="__main__")
    print("{_END}")
assert "bakeoff" not in sys.modules
"""


def printed(scripts: Sequence[Path], words: Sequence[str] = ()) -> list[str]:
    """Run each script in its folder, with these arguments; return what each prints."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    lists = ["\n".join(each) for each in (TAKEN_ALONG, words)]
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *lists, *map(str, scripts)],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split(f"{_END}\n")[: len(scripts)]
