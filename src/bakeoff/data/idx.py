"""IDX files, the format of MNIST: read with nothing taken on trust, written as bytes.

Source of the format: http://yann.lecun.com/exdb/mnist (big-endian: two zero bytes, a type, the
number of dimensions, each dimension as 32 bits, then the values, the last dimension fastest).
"""

import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.guard import regular_file, shown
from bakeoff.errors import DataError

LIMIT = 1 << 27  # bytes; MNIST's largest file has 47 million
_CHUNK = 1 << 18
_UINT8 = 8


def read_idx(path: Path, *, dimensions: int | None = None) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, plain or compressed with gzip.

    Never reads or unpacks more than the header promises and one byte.

    Parameters
    ----------
    path : Path
    dimensions : int, optional
        How many dimensions the array must have: 3 for images, 1 for labels.

    Returns
    -------
    uint8, of the shape in the header; read-only

    Raises
    ------
    DataError
        If the file is absent or is anything but one whole IDX array of at most LIMIT bytes.
    """
    with regular_file(path) as (file, size):
        if size > LIMIT + _CHUNK:
            raise DataError(f"{shown(path)}: expected at most {LIMIT:,} bytes, found {size:,}")
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        stream = _Stream(_inflated(file) if packed else iter(lambda: file.read(_CHUNK), b""))
        shape = _read_header(stream, shown(path), dimensions)
        promised = math.prod(shape)
        if not packed:
            _check_length(size - (4 + 4 * len(shape)), promised, shown(path))
        values = stream.read(promised)
        _check_length(len(values) + len(stream.read(1)), promised, shown(path))
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


def idx_bytes(array: NDArray[Any]) -> bytes:
    """Return an array of unsigned bytes as the content of an IDX file."""
    header = bytes([0, 0, _UINT8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    return header + np.ascontiguousarray(array, dtype=np.uint8).tobytes()


class _Stream:
    """A file as a bounded source of bytes, whatever the chunks it comes in."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def read(self, count: int) -> bytes:
        """Return the next `count` bytes, fewer at the end."""
        pieces, missing = [self._left[:count]], count - len(self._left)
        self._left = self._left[count:]
        while missing > 0 and (chunk := next(self._chunks, b"")):
            pieces.append(chunk[:missing])
            self._left = chunk[missing:]
            missing -= len(chunk)
        return b"".join(pieces)


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    """Give the content of a gzip file of one member, in chunks of bounded size."""
    unpacker = zlib.decompressobj(wbits=31)
    while not unpacker.eof:
        packed = unpacker.unconsumed_tail or file.read(_CHUNK)
        if not packed:
            raise DataError(f"{shown(file.name)}: the gzip file ends too early: get it again")
        if chunk := unpacker.decompress(packed, _CHUNK):
            yield chunk
    if unpacker.unused_data or file.read(1):
        raise DataError(f"{shown(file.name)}: there are bytes after the end of the gzip data")


def _read_header(stream: _Stream, name: str, dimensions: int | None) -> tuple[int, ...]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[3] == 0:
        raise DataError(f"{name}: expected an IDX file, found one that begins {magic.hex(' ')!r}")
    if magic[2] != _UINT8:
        raise DataError(f"{name}: expected IDX type 8 (unsigned bytes), found {magic[2]}")
    if dimensions is not None and magic[3] != dimensions:
        raise DataError(f"{name}: expected {dimensions} dimensions, found {magic[3]}")
    raw = stream.read(4 * magic[3])
    if len(raw) < 4 * magic[3] or magic[3] > 8:
        raise DataError(f"{name}: expected an IDX header of {magic[3]} dimensions, found it cut")
    shape = tuple(int(each) for each in np.frombuffer(raw, dtype=">u4"))
    if math.prod(shape) > LIMIT:
        raise DataError(
            f"{name}: expected at most {LIMIT:,} bytes, found a header that promises "
            f"{' × '.join(map(str, shape))}"
        )
    return shape


def _check_length(found: int, promised: int, name: str) -> None:
    if found != promised:
        much = "more" if found > promised else f"{found:,}"
        raise DataError(
            f"{name}: expected the {promised:,} values that its header promises, found {much}"
        )
