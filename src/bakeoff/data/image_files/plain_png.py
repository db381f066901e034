"""Small PNG files of the plainest kind, decoded without Pillow's reader; None for all others.

Pillow's reader of PNG files spends most of its time on what a small picture does not have: frames,
palettes, text, pieces read from a disk. Its decoder alone is asked here. Source: the PNG
specification (w3.org/TR/png), section 5.
"""

import struct
import zlib
from typing import Any

_BEGIN = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_MODES = {  # 8 bits, the kind of colour, and no interlacing, as the header has them
    b"\x08\x00\0\0\0": "L",
    b"\x08\x02\0\0\0": "RGB",
    b"\x08\x04\0\0\0": "LA",
    b"\x08\x06\0\0\0": "RGBA",
}
_MOST = 1 << 20  # pixels
_PIECES = 600  # 4 MiB in pieces of 8 KiB, as encoders write them, are 512
_CHUNK = struct.Struct(">I4s")
_HEADER = 33  # bytes until the first chunk after it


def plain_png(content: bytes) -> Any:
    """Return Pillow's image of a PNG file's content, decoded; None where it is broken or not plain.

    Plain are grey and RGB of 8 bits, with or without an alpha channel, in consecutive chunks with
    nothing between them.
    """
    mode = _MODES.get(content[24:29])
    if mode is None or content[:16] != _BEGIN or len(content) < _HEADER:
        return None
    width, height, checksum = *struct.unpack_from(">II", content, 16), content[29:_HEADER]
    if not 0 < width * height <= _MOST or zlib.crc32(content[12:29]) != int.from_bytes(checksum):
        return None
    pieces: list[bytes] = []
    position = _HEADER
    while position + 12 <= len(content) and len(pieces) <= _PIECES:
        length, kind = _CHUNK.unpack_from(content, position)
        if kind != b"IDAT":
            ended = kind == b"IEND" and not length
            return _decoded(mode, (width, height), b"".join(pieces)) if ended else None
        pieces.append(content[position + 8 : position + 8 + length])
        position += 12 + length
    return None


def _decoded(mode: str, size: tuple[int, int], data: bytes) -> Any:
    from PIL import Image

    try:
        return Image.frombytes(mode, size, data, "zip", mode, 0)
    except (ValueError, OSError):
        return None
