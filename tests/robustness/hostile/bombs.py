"""Zeros in abundance, packed: a megabyte is compressed, and what came out is repeated."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

_MEGABYTE = bytes(1 << 20)


def _packed(first: bytes, megabytes: int) -> bytes:
    """Return a deflate stream of `first` and so many zeros; each piece begins anew."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    start = pack.compress(first) + pack.flush(zlib.Z_FULL_FLUSH)
    piece = pack.compress(_MEGABYTE) + pack.flush(zlib.Z_FULL_FLUSH)
    return start + piece * megabytes + pack.flush(zlib.Z_FINISH)


def gzip_bomb(megabytes: int, *, first: bytes = b"") -> bytes:
    """Return what gzip would make of `first` and so many megabytes of zeros."""
    check, size = _check(first, megabytes)
    head = b"\x1f\x8b\x08" + bytes(5) + b"\x02\xff"
    return head + _packed(first, megabytes) + struct.pack("<II", check, size % 2**32)


def zip_bomb(name: str, megabytes: int, *, first: bytes, others: Mapping[str, bytes]) -> bytes:
    """Return a zip of `first` and so many megabytes of zeros, called `name`, and other entries."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo(name)
        archive.writestr(entry, _packed(first, megabytes))  # as if it were not packed yet
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.CRC, entry.file_size = _check(first, megabytes)
        file.seek(entry.header_offset)
        file.write(entry.FileHeader())
        for other, content in others.items():
            archive.writestr(other, content)
        file.seek(archive.start_dir)
    return file.getvalue()


def _check(first: bytes, megabytes: int) -> tuple[int, int]:
    """Return the CRC-32 and the number of bytes."""
    check = zlib.crc32(first)
    for _ in range(megabytes):
        check = zlib.crc32(_MEGABYTE, check)
    return check, len(first) + len(_MEGABYTE) * megabytes


def zlib_bomb(megabytes: int) -> bytes:
    """Return what zlib would make of so many megabytes of zeros."""
    adler = (len(_MEGABYTE) * megabytes % 65521) << 16 | 1
    return b"\x78\xda" + _packed(b"", megabytes) + struct.pack(">I", adler)
