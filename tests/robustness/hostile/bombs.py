"""Zeros in abundance, packed: a megabyte is compressed, and what came out is repeated."""

import struct
import zlib

_MEGABYTE = bytes(1 << 20)


def _packed(first: bytes, megabytes: int) -> bytes:
    """Return a deflate stream of `first` and so many zeros; each piece begins anew."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    start = pack.compress(first) + pack.flush(zlib.Z_FULL_FLUSH)
    piece = pack.compress(_MEGABYTE) + pack.flush(zlib.Z_FULL_FLUSH)
    return start + piece * megabytes + pack.flush(zlib.Z_FINISH)


def gzip_bomb(megabytes: int, *, first: bytes = b"") -> bytes:
    """Return what gzip would make of `first` and so many megabytes of zeros."""
    check = zlib.crc32(first)
    for _ in range(megabytes):
        check = zlib.crc32(_MEGABYTE, check)
    size = (len(first) + len(_MEGABYTE) * megabytes) % 2**32
    head = b"\x1f\x8b\x08" + bytes(5) + b"\x02\xff"
    return head + _packed(first, megabytes) + struct.pack("<II", check, size)


def zlib_bomb(megabytes: int) -> bytes:
    """Return what zlib would make of so many megabytes of zeros."""
    adler = (len(_MEGABYTE) * megabytes % 65521) << 16 | 1
    return b"\x78\xda" + _packed(b"", megabytes) + struct.pack(">I", adler)
