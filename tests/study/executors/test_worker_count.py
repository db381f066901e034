"""How many workers run: hand arithmetic.

Cost: nothing. Run: pytest tests/study/executors/test_worker_count.py
"""

import re

import pytest

from bakeoff.errors import StudyError
from bakeoff.study.executors.worker_count import worker_count
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
