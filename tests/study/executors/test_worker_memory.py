"""What a worker frees between two models.

Oracle: JAX's own count of a function's programs. Cost: 2 s, JAX's import.
Run: pytest tests/study/executors/test_worker_memory.py
"""

import sys

import pytest

from bakeoff.study.executors import worker_memory
from bakeoff.study.executors.worker_memory import let_programs_go
from bakeoff.training.backend import jax

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.mark.parametrize(("enough", "kept"), [(1 << 50, 1), (1 << 20, 0)])
def test_programs_go_where_a_process_holds_much_memory(monkeypatch, enough, kept):
    monkeypatch.setattr(worker_memory, "_ENOUGH", enough)
    program = jax.jit(lambda value: value + 1)
    assert program(1) == 2
    let_programs_go()
    assert program._cache_size() == kept
    assert program(1) == 2
