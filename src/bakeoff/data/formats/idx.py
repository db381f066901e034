"""IDX files, the format of MNIST: read with nothing taken on trust, and the header of one to write.

Source of the format: http://yann.lecun.com/exdb/mnist (big-endian: two zero bytes, a type, the
number of dimensions, each dimension as 32 bits, then the values, the last dimension fastest).
"""

import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.safe_reading import check_memory, regular_file
from bakeoff.errors import DataError

OTHER = (  # what to do about a file that is not the published one of its name
    "delete it or get it again, or, where these are images of your own, name them as "
    "{idx: [images, labels]}"
)
LIMIT = 1 << 27  # bytes of published files; MNIST's largest has 47 million
MOST = 1 << 31  # bytes of others; EMNIST's largest has 547 million
_RATIO = 200  # above LIMIT, what is packed more than so many times is no data set
_CHUNK = 1 << 18
_UINT8 = 8
_OTHER_TYPES = {
    0x09: "signed bytes",
    0x0B: "whole numbers of 16 bits",
    0x0C: "whole numbers of 32 bits",
    0x0D: "floats of 32 bits",
    0x0E: "floats of 64 bits",
}
_MAX_DIMENSIONS = 4


def read_idx(path: Path, *, shape: tuple[int, ...] | None = None) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, plain or compressed with gzip.

    Never reads or unpacks more than the header promises and one byte.

    Parameters
    ----------
    path : Path
    shape : tuple of int, optional
        That of a published file, the only one that is accepted; any without it.

    Returns
    -------
    uint8, of the shape in the header

    Raises
    ------
    DataError
        If the file is absent or is anything but one whole IDX array of at most LIMIT bytes, MOST
        without a shape, or does not fit in half of the free memory.
    """
    with regular_file(path) as (file, size):
        most = MOST if shape is None else LIMIT
        if size > most + _CHUNK:
            raise _refused(f"at most {most:,} bytes", f"{size:,}")
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        stream = _Stream(_inflated(file) if packed else iter(lambda: file.read(_CHUNK), b""))
        found = _read_header(stream)
        promised = math.prod(found)
        most = max(LIMIT, min(most, _RATIO * size))
        if promised > most:
            raise _refused(f"at most {most:,} bytes", f"a header that promises {_times(found)}")
        if shape is not None and found != shape:
            raise DataError(
                f"expected the published file, of shape {_times(shape)}, found one of shape "
                f"{_times(found)}: {OTHER}"
            )
        if not packed:
            _check_length(size - (4 + 4 * len(found)), promised)
        check_memory(2 * promised)
        values = np.empty(found, dtype=np.uint8)
        filled = stream.fill(values.reshape(-1))
        _check_length(filled + len(stream.read(1)), values.size)
    return values


def idx_header(shape: tuple[int, ...]) -> bytes:
    """Return what stands before the values in an IDX file of unsigned bytes of this shape."""
    return bytes([0, 0, _UINT8, len(shape)]) + np.array(shape, dtype=">u4").tobytes()


class _Stream:
    """A file as a source of bytes, whatever the chunks it comes in."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def fill(self, values: NDArray[np.uint8]) -> int:
        """Put the next bytes into an array; return how many there were, fewer at the end."""
        filled = 0
        while filled < len(values) and (chunk := self._left or next(self._chunks, b"")):
            taken = min(len(chunk), len(values) - filled)
            values[filled : filled + taken] = np.frombuffer(chunk, np.uint8, taken)
            self._left = chunk[taken:]
            filled += taken
        return filled

    def read(self, count: int) -> bytes:
        """Return the next `count` bytes, fewer at the end."""
        values = np.empty(count, dtype=np.uint8)
        return values[: self.fill(values)].tobytes()


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    """Give the content of a gzip file of one member, in chunks of bounded size."""
    unpacker = zlib.decompressobj(wbits=31)
    while not unpacker.eof:
        packed = unpacker.unconsumed_tail or file.read(_CHUNK)
        try:
            chunk = unpacker.decompress(packed, _CHUNK)
        except zlib.error as error:
            raise _refused("gzip data", f"it damaged ({error})") from None
        if chunk:
            yield chunk
        elif not packed and not unpacker.eof:
            raise _refused("whole gzip data", "it cut")
    if unpacker.unused_data or file.read(1):
        raise _refused("nothing after the gzip data", "more bytes")


def _read_header(stream: _Stream) -> tuple[int, ...]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[3] == 0:
        raise _refused(
            "an IDX file", f"one that begins {magic.hex(' ')}" if magic else "an empty one"
        )
    if magic[2] in _OTHER_TYPES:
        raise DataError(
            f"expected IDX type {_UINT8} (unsigned bytes), found type {magic[2]} "
            f"({_OTHER_TYPES[magic[2]]}): store images and labels as {{npz: FILE}}, by "
            "numpy.savez(FILE, x=…, y=…)"
        )
    if magic[2] != _UINT8:
        raise _refused(f"IDX type {_UINT8} (unsigned bytes)", f"type {magic[2]}")
    if magic[3] > _MAX_DIMENSIONS:
        raise _refused(f"at most {_MAX_DIMENSIONS} dimensions", str(magic[3]))
    raw = stream.read(4 * magic[3])
    if len(raw) < 4 * magic[3]:
        raise _refused(f"an IDX header of {magic[3]} dimensions", "it cut")
    return tuple(int(each) for each in np.frombuffer(raw, dtype=">u4"))


def _check_length(found: int, promised: int) -> None:
    if found != promised:
        much = "more" if found > promised else f"{found:,}"
        raise _refused(f"the {promised:,} bytes that its header promises", much)


def _refused(expected: str, found: str) -> DataError:
    return DataError(f"expected {expected}, found {found}: get the file again")


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
