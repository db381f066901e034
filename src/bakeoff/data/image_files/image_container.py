"""Image files told by their content; PNG and JPEG reduced to what their pixels need.

Decoders read comments, colour profiles and EXIF with code that a hostile file can keep busy for
minutes or fill the memory with. Of all that only EXIF's orientation matters here, and it is read
here. Sources: the PNG specification (w3.org/TR/png), ITU-T T.81 Annex B, TIFF 6.0 section 2.
"""

import re
import struct

from bakeoff.errors import DataError

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SEGMENTS = _FRAMES | {0xC4, 0xCC, 0xDB, 0xDD, 0xE0, 0xEE}  # tables, JFIF's and Adobe's headers
_BARE = {0x01, 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)}  # markers without a length
_FILLING = re.compile(rb"\xff+")  # any number may stand before a marker
_SCAN, _END = b"\xff\xda", 0xD9
_MARKER = re.compile(rb"\xff+[^\0\xd0-\xd7\xff]")  # in a scan, where the others are data
_MAX_PIECES = 20_000  # a file of 64 MiB in pieces of 8 KiB, as encoders write them, has 8,192
_MAX_SCANS = 50  # encoders write about ten
_ORIENTATION = 0x0112

ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
    *(".pnm", ".pbm", ".pgm", ".ppm", ".avif", ".jp2", ".j2k", ".jpx"),
)
_MAGIC: tuple[tuple[bytes, int, str], ...] = (  # bytes, where they stand, Pillow's format
    (_PNG, 0, "PNG"),
    (b"\x89PNG", 0, "PNG"),
    (_JPEG, 0, "JPEG"),
    (b"\xff\xd8", 0, "JPEG"),
    (b"GIF87a", 0, "GIF"),
    (b"GIF89a", 0, "GIF"),
    (b"II*\0", 0, "TIFF"),
    (b"MM\0*", 0, "TIFF"),
    (b"II+\0", 0, "TIFF"),  # BigTIFF; Pillow fails at that of the other byte order
    (b"WEBP", 8, "WEBP"),
    (b"ftypavif", 4, "AVIF"),
    (b"ftypavis", 4, "AVIF"),
    (b"ftypmif1avif", 4, "AVIF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", 0, "JPEG2000"),
    (b"\xff\x4f\xff\x51", 0, "JPEG2000"),
    (b"BM", 0, "BMP"),
)
_PNM = re.compile(rb"P[1-6][\s#]")


def is_called_image(name: str) -> bool:
    """Say whether a file's name ends as those of images do."""
    return name.lower().endswith(ENDINGS)


def kind_of(content: bytes) -> str | None:
    """Return what Pillow calls the format that a file's first bytes belong to; None for others."""
    for magic, offset, kind in _MAGIC:
        if content[offset : offset + len(magic)] == magic:
            return kind
    return "PPM" if _PNM.match(content) else None


def essentials(content: bytes, kind: str) -> tuple[bytes, int]:
    """Return (a PNG or JPEG file without metadata, EXIF orientation 1 … 8).

    Raises
    ------
    DataError
        If it ends too early, or is made of too many pieces.
    """
    if kind == "PNG":
        return _png(content)
    return _jpeg(content)


def _png(content: bytes) -> tuple[bytes, int]:
    kept, orientation, position = [_PNG], 1, len(_PNG)
    for _ in range(_MAX_PIECES):
        if position + 12 > len(content):
            raise DataError("cut short")
        length, kind = struct.unpack_from(">I4s", content, position)
        end = position + 12 + length
        if end > len(content):
            raise DataError("cut short")
        if kind in _CHUNKS:
            kept.append(content[position:end])
        elif kind == b"eXIf":
            orientation = exif_orientation(content[position + 8 : end - 4])
        if kind == b"IEND":
            return b"".join(kept), orientation
        position = end
    raise DataError(f"more than {_MAX_PIECES:,} chunks")


def _jpeg(content: bytes) -> tuple[bytes, int]:
    kept, orientation, position, frames = [content[:2]], 1, 2, 0
    for _ in range(_MAX_PIECES):
        filling = _FILLING.search(content, position)
        position = filling.end() - 1 if filling else len(content)
        if position + 4 > len(content):
            raise DataError("cut short")
        marker = content[position + 1]
        if marker == _SCAN[1]:
            rest = content[position:]
            if rest.count(_SCAN) > _MAX_SCANS:  # a quick look at all of them
                rest = rest[: _end(rest)]
            return b"".join(kept) + rest, orientation
        length = 0 if marker == 0 or marker in _BARE else _length(content, position)
        end = position + 2 + length
        if marker in _SEGMENTS:
            kept.append(content[position:end])
            frames += marker in _FRAMES
        elif marker == 0xE1 and content[position + 4 : position + 10] == b"Exif\0\0":
            orientation = exif_orientation(content[position + 10 : end])
        if end > len(content):
            raise DataError("cut short")
        if frames > 1:
            raise DataError("more than one frame header")
        position = end
    raise DataError(f"more than {_MAX_PIECES:,} segments")


def _end(content: bytes) -> int:
    """Return where a JPEG's image ends, from its first scan on; telephones write films after it."""
    scans = position = 0
    for _ in range(_MAX_PIECES):
        found = _MARKER.search(content, position)
        if found is None or content[found.end() - 1] == _END:
            return len(content) if found is None else found.end()
        position = found.end() - 2
        scans += content[position + 1] == _SCAN[1]
        if scans > _MAX_SCANS:
            raise DataError(f"more than {_MAX_SCANS} scans")
        if content[position + 1] not in _BARE and position + 4 <= len(content):
            position += _length(content, position)
        position += 2
    raise DataError(f"more than {_MAX_PIECES:,} segments")


def _length(content: bytes, position: int) -> int:
    length = int.from_bytes(content[position + 2 : position + 4], "big")
    if length < 2:
        raise DataError("a segment shorter than its own length")
    return length


def exif_orientation(tiff: bytes) -> int:
    """Return the orientation that EXIF data state, 1 … 8; 1 where they state none."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for position in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", tiff, position)
            if tag == _ORIENTATION:
                whole = {3: "H", 4: "I"}.get(kind, "x")  # SHORT, as it should be, or LONG
                value = sum(struct.unpack_from(f"{order}{whole}", tiff, position + 8))
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
