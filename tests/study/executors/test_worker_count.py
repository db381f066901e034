"""How many workers run: hand arithmetic.

Cost: nothing. Run: pytest tests/study/executors/test_worker_count.py
"""

import re

import pytest

from bakeoff.errors import StudyError
from bakeoff.study.executors.worker_count import WORKER_BYTES, fitting_workers, worker_count
from bakeoff.utils.machine import cores


def test_one_for_each_core_one_on_a_gpu_or_what_was_asked_for():
    assert worker_count(None, "cpu") == cores()
    assert worker_count(None, "gpu") == 1
    assert worker_count(3, "gpu") == worker_count(3, "cpu") == 3


@pytest.mark.parametrize("asked", [0, -2])
def test_fewer_than_one_is_refused(asked):
    text = f"--workers: expected at least 1, found {asked}"
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        worker_count(asked, "cpu")


def test_no_more_are_started_than_memory_suffices_for():
    """U2: 64 cores and a container of 2 GB: the workers were killed, one after the other."""
    each, free = 600_000_000 - WORKER_BYTES, 2 * 10**9
    assert fitting_workers(3, each=each, free=free) == (3, None)
    assert fitting_workers(64, each=each, free=free) == (
        3,
        "3 trials at a time, not 64: only 2.0 GB of memory are free, and each takes about 0.6 GB; "
        "--workers 64 insists",
    )
    assert fitting_workers(2, each=each, free=0)[0] == 1
