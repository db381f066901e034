"""Files and recipes from strangers are refused: at once, in a line, leaving nothing.

Oracle: each case of tests/hostile/ ends with the exit code it names and one line on standard error
that holds the file's name and the reason, within 2 s of one core and 300 MB, with no file changed,
no socket opened, no process started, no foreign code run.
Cost: 30 s. Run: pytest tests/robustness/test_hostile.py
"""

import pickle
import re
import resource
import struct

import numpy as np
import pytest

from bakeoff.errors import StorageError
from bakeoff.storage import array_files
from tests.robustness.hostile import folder, idx, npz, recipes, run, studies

CASES = [
    *recipes.cases(),
    *idx.cases(),
    *npz.cases(),
    *folder.cases(),
    *studies.cases(),
]
SECONDS, MIB = 2.0, 300.0


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What each case did, by its name."""
    return run.outcomes(CASES, tmp_path_factory.mktemp("hostile"))


def test_there_are_enough():
    assert len({case.name for case in CASES}) == len(CASES) >= 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused(case, outcomes):
    found = outcomes[case.name]
    assert found["code"] == case.code, found
    line = the_line(case, found)
    for part in case.says:
        assert part in line, f"{part!r} is not in: {line}"
    assert line.isprintable() and "unexpected" not in line and len(line) < 1000
    own = [deed for deed in found["deeds"] if "/.locks" not in deed or ": run" not in case.name]
    assert own == []
    assert found["changed"] == []
    assert found["cpu"] < SECONDS
    assert found["mib"] < MIB


def the_line(case, found):
    """The one line that says why; nothing else is said."""
    lines = found[case.said].splitlines()
    if case.said == "err":
        assert case.printed or found["out"] == ""
        lines = [line for line in lines if not case.printed or line.startswith("bakeoff: ")]
        assert len(lines) == 1 and lines[0].startswith("bakeoff: "), found["err"]
    else:
        assert len(lines) == 2 and lines[1].endswith(": 1 difference"), found["out"]
        assert "bakeoff: " not in found["err"]
    return lines[0]


def test_weights_that_are_none(tmp_path):
    """What reads weights is a worker, which has Keras; the reader is asked by itself."""
    good = array_files.weights_bytes({"kernel": np.zeros((2, 3), np.float32)})
    path = tmp_path / "weights.safetensors"
    for content, reason in weights(good):
        path.write_bytes(content)
        before = peak_memory()
        with pytest.raises(StorageError, match=re.escape(f"{path}: expected {reason}")):
            array_files.read_weights(path)
        assert peak_memory() - before < 100


def weights(good):
    """Safetensors files that lie, and how they are refused."""
    other, finite = "the bytes that were recorded", "finite weights"
    header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'

    def made(text, values=bytes(8), length=None):
        return struct.pack("<Q", len(text) if length is None else length) + text + values

    twice = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32",'
    yield good[:-1], other
    yield good + b"x", other
    yield made(header, length=2**63), other
    yield made(header, length=10**9), other
    yield made(header, length=3), other
    yield made(b"[" * 100_000), other
    yield made(b'{"a":' * 50_000), other
    yield made(header.replace(b"[0,8]", b"[0,9]")), other
    yield made(header.replace(b"[0,8]", b"[8,0]")), other
    yield made(header.replace(b"[0,8]", b"[-8,0]")), other
    yield made(header.replace(b"[2]", b"[18446744073709551615,2]")), other
    yield made(header.replace(b"[2]", b"[-2]")), other
    yield made(header.replace(b"F32", b"OBJ")), other
    yield made(header.replace(b"F32", b"F8_E4M3")), other
    yield made(twice + b'"shape":[2],"data_offsets":[0,8]}}'), other  # both the same bytes
    yield made(twice + b'"shape":[1],"data_offsets":[4,8]}}'), other  # overlapping
    yield made(twice + b'"shape":[2],"data_offsets":[16,24]}}', bytes(24)), other  # a gap
    yield pickle.dumps({"a": 1}), other
    yield b"", other
    for value in (np.nan, np.inf, -np.inf):
        weights = {"kernel": np.array([[0, value]], np.float32), "bias": np.zeros(1, np.int32)}
        yield array_files.weights_bytes(weights), finite


def peak_memory():
    """MiB of this process at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
