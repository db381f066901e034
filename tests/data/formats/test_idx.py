"""IDX files against NumPy and hand-made headers; 1 s.

Run: pytest tests/data/formats/test_idx.py
"""

import gzip
import os
import re
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from bakeoff.data.formats.idx import LIMIT, MOST, OTHER, read_idx
from bakeoff.errors import DataError
from tests.helpers.idx import idx_bytes

GOOD = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
# Without the time of packing: parallel tests must have the same names everywhere.
PACKED, PACKED_SHORT, PACKED_LONG = (
    gzip.compress(content, mtime=0) for content in (GOOD, GOOD[:-1], GOOD + bytes(9))
)


@pytest.fixture
def write(tmp_path):
    def _write(content):
        path = tmp_path / "file"
        path.write_bytes(content)
        return path

    return _write


def refusal(path, **options):
    with pytest.raises(DataError) as error:
        read_idx(path, **options)
    return str(error.value).removeprefix(f"{path}: ")


def test_header_is_the_published_one():
    assert idx_bytes(np.zeros((60000, 28, 28), np.uint8))[:16] == struct.pack(
        ">4BIII", 0, 0, 8, 3, 60000, 28, 28
    )


@given(
    array=npst.arrays(np.uint8, npst.array_shapes(min_dims=1, max_dims=4, max_side=9)),
    packed=st.booleans(),
)
def test_round_trip(array, packed, tmp_path_factory):
    path = tmp_path_factory.mktemp("idx") / "file"
    content = idx_bytes(array)
    path.write_bytes(gzip.compress(content) if packed else content)
    read = read_idx(path)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("size", [(1 << 18) - 8, (1 << 18) - 7, 1 << 18, (1 << 20) + 1])
def test_lengths_around_the_chunk_size(write, level, size, rng):
    for array in (np.zeros(size, np.uint8), rng.integers(0, 256, size, dtype=np.uint8)):
        path = write(gzip.compress(idx_bytes(array), level))
        np.testing.assert_array_equal(read_idx(path), array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected an IDX file, found an empty one: get the file again"),
        (b"\0\0\x08", "expected an IDX file, found one that begins 00 00 08: get the file again"),
        (b"PK\3\4", "expected an IDX file, found one that begins 50 4b 03 04: get the file again"),
        (
            b"\0\0\x08\0",
            "expected an IDX file, found one that begins 00 00 08 00: get the file again",
        ),
        (
            b"\0\0\x0d\x01\0\0\0\1....",
            "expected IDX type 8 (unsigned bytes), found type 13 (floats of 32 bits): store images "
            "and labels as {npz: FILE}, by numpy.savez(FILE, x=…, y=…)",
        ),
        (b"\0\0\x08\xff", "expected at most 4 dimensions, found 255: get the file again"),
        (
            b"\0\0\x08\3\0\0\0\2",
            "expected an IDX header of 3 dimensions, found it cut: get the file again",
        ),
        (
            GOOD[:-1],
            "expected the 24 bytes that its header promises, found 23: get the file again",
        ),
        (
            GOOD + b"\0",
            "expected the 24 bytes that its header promises, found more: get the file again",
        ),
        (
            b"\0\0\x08\4" + b"\xff" * 16,
            "expected at most 134,217,728 bytes, found a header that promises 4294967295 × "
            "4294967295 × 4294967295 × 4294967295: get the file again",
        ),
        (
            PACKED_SHORT,
            "expected the 24 bytes that its header promises, found 23: get the file again",
        ),
        (
            PACKED_LONG,
            "expected the 24 bytes that its header promises, found more: get the file again",
        ),
        (PACKED[:-1], "expected whole gzip data, found it cut: get the file again"),
        (PACKED[:12], "expected whole gzip data, found it cut: get the file again"),
        (
            PACKED + b"\0",
            "expected nothing after the gzip data, found more bytes: get the file again",
        ),
        (
            PACKED * 2,
            "expected nothing after the gzip data, found more bytes: get the file again",
        ),
        (
            PACKED[:-8] + bytes(8),
            "expected gzip data, found it damaged (Error -3 while decompressing data: incorrect "
            "data check): get the file again",
        ),
    ],
)
def test_broken_files(write, content, message):
    assert refusal(write(content)) == message


def test_another_shape_is_refused_before_the_values_are_read(write):
    message = refusal(write(GOOD[:16]), shape=(2, 3, 5))
    assert message == (
        f"expected the published file, of shape 2 × 3 × 5, found one of shape 2 × 3 × 4: {OTHER}"
    )


def test_what_is_not_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    special = "expected a file, found a folder, a pipe or a device"
    assert refusal(tmp_path / "pipe") == special
    assert refusal(tmp_path) == special
    assert refusal(tmp_path / "absent") == "cannot be read: No such file or directory"


def test_a_line_break_in_a_name_is_shown_as_an_escape(tmp_path):
    path = tmp_path / "a\nb"
    path.write_bytes(b"")
    with pytest.raises(DataError, match=re.escape("a\\nb: expected an IDX file, found an empty")):
        read_idx(path)


def test_bombs_cost_neither_time_nor_memory(write):
    zeros = zlib.compressobj(9, wbits=31)
    packed = zeros.compress(b"\0\0\x08\1" + struct.pack(">I", 1000))
    for _ in range(256):
        packed += zeros.compress(bytes(1 << 20))
    bomb = write(packed + zeros.flush())
    name_without_end = b"\x1f\x8b\x08\x08" + bytes(6) + b"a" * (1 << 22)
    tracemalloc.start()
    start = time.perf_counter()
    assert refusal(bomb).endswith("promises, found more: get the file again")
    assert refusal(write(name_without_end)) == (
        "expected whole gzip data, found it cut: get the file again"
    )
    seconds, peak = time.perf_counter() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 2
    assert peak < 16 << 20


def test_a_huge_file_is_refused_by_its_length(tmp_path):
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert (
        refusal(path)
        == f"expected at most {MOST:,} bytes, found 1,099,511,627,776: get the file again"
    )


def test_a_set_larger_than_the_published_ones_is_read(write):
    """EMNIST's digits are 188 MB, its classes of all characters 547 MB."""
    shape = (LIMIT // 784 + 1, 28, 28)
    header = b"\0\0\x08\3" + struct.pack(">3I", *shape)
    path = write(header)
    with path.open("r+b") as file:
        file.truncate(len(header) + LIMIT // 784 * 784 + 784)
    assert read_idx(path).shape == shape


def test_more_than_memory_holds_is_refused(write, monkeypatch):
    monkeypatch.setattr("bakeoff.data.safe_reading.available_memory", lambda: 64)
    assert refusal(write(GOOD)).startswith("expected at most 32 bytes of arrays (half of the free")


def test_a_large_file_that_is_packed_too_well_is_refused(write):
    packed = gzip.compress(b"\0\0\x08\1" + struct.pack(">I", LIMIT + 1) + bytes(1000), mtime=0)
    assert refusal(write(packed)) == (
        "expected at most 134,217,728 bytes, found a header that promises 134217729: get the "
        "file again"
    )
