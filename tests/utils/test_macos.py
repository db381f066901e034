"""What macOS's own commands say.

Oracle: their output on a Mac, as documented. Cost: nothing. Run: pytest tests/utils/test_macos.py
"""

import subprocess
from types import SimpleNamespace

import pytest

from bakeoff.utils import machine, macos

VM_STAT = """Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               10000.
Pages active:                            300000.
Pages inactive:                          200000.
Pages speculative:                         3000.
Pages throttled:                              0.
Pages wired down:                        100000.
Pages purgeable:                           5000.
"""


@pytest.fixture
def says(monkeypatch):
    """Let the commands say something."""

    def say(text):
        done = SimpleNamespace(stdout=text)
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)

    return say


def test_pages_that_are_given_back_are_free(says, tmp_path):
    says(VM_STAT)
    assert macos.free_memory() == 16384 * (10_000 + 200_000 + 3_000 + 5_000)
    assert machine.available_memory(tmp_path) == macos.free_memory()


@pytest.mark.parametrize("text", ["", "nonsense", "(page size of 16384 bytes)"])
def test_nonsense_says_nothing(says, text):
    says(text)
    assert macos.free_memory() is None


def test_the_processor_has_a_name(says):
    says("Apple M2 Pro\n")
    assert macos.processor() == "Apple M2 Pro"


def test_another_system_has_no_such_commands(monkeypatch):
    def absent(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", absent)
    assert (macos.free_memory(), macos.processor()) == (None, "")
