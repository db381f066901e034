"""What is seen of a process from outside: silence, and memory.

Oracle: processes that sleep, work, or have ended; this process and its arrays. Cost: 1 s.
Run: pytest tests/study/executors/test_process_watch.py
"""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from bakeoff.study.executors.process_watch import Progress, holds_less_than

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_a_process_that_sleeps_does_nothing_and_a_word_counts():
    with subprocess.Popen(["sleep", "60"]) as process:
        progress = Progress(process.pid)
        progress.seconds_without(time.monotonic())  # hears of what its start has used
        now = time.monotonic()
        assert progress.seconds_without(now + 7) == pytest.approx(7, abs=0.5)
        progress.made(now + 6)
        assert progress.seconds_without(now + 7) == pytest.approx(1, abs=0.5)
        process.kill()
    assert progress.seconds_without(now + 7) == 0.0  # nobody tells


def test_a_process_that_computes_does_something():
    progress = Progress(os.getpid())
    progress.seconds_without(time.monotonic())
    end = time.process_time() + 0.05  # more than the hundredth of a second in which it is counted
    while time.process_time() < end:
        pass
    assert progress.seconds_without(time.monotonic() + 7) == 0.0


def test_how_much_memory_a_process_holds():
    held = np.ones(64 << 20, np.uint8)
    assert not holds_less_than(held.nbytes, os.getpid())
    assert holds_less_than(1 << 40, os.getpid())
    assert not holds_less_than(1 << 40, None)  # nobody tells


def test_pages_of_files_are_nobody_s_own(tmp_path):
    def held():
        return next(mib for mib in range(1, 1 << 20) if holds_less_than(mib << 20, os.getpid()))

    before = held()
    mapped = np.memmap(tmp_path / "images", np.uint8, mode="w+", shape=64 << 20)
    mapped[:] = 1
    assert held() < before + 32
