"""Hold YNNPACK, XLA's library for matrix products, to AVX2, for which it has no switch.

It asks the processor once, and keeps the answer in a static word. That word is found by its name
in the symbols of jaxlib's own library, and what is more than AVX2 and FMA is taken out before the
first product is made.
"""

import ctypes
import os
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

SWITCH = "BENCHMARKS_HOLD_YNNPACK"  # set for processes that are held
_FUNCTION = b"_ZN3ynn24get_supported_arch_flagsEv"
_WORD = b"_ZZN3ynn24get_supported_arch_flagsEvE5flags"
_UP_TO_AVX2 = 0x7F  # sse2, ssse3, sse4.1, avx, f16c, avx2, fma3
_SYMTAB = 2  # the kind of section
_SYMBOL = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("address", "<u8"),
     ("size", "<u8")]
)  # fmt: skip


def hold() -> None:
    """Hold this process, if it is to be held: after `import jax`, before its first product.

    Raises
    ------
    RuntimeError
        If this jaxlib has no such word: then nobody can be held.
    """
    if not os.environ.get(SWITCH):
        return
    path, base = _loaded("libjax_common.so")
    places = symbols(path, (_FUNCTION, _WORD))
    ask = ctypes.CFUNCTYPE(ctypes.c_uint64)(base + places[_FUNCTION])
    word = ctypes.c_uint64.from_address(base + places[_WORD])
    if ask() != word.value:
        raise RuntimeError(f"expected YNNPACK's processor flags in {path.name}, found other values")
    word.value &= _UP_TO_AVX2


def symbols(path: Path, names: tuple[bytes, ...]) -> dict[bytes, int]:
    """Return the addresses of symbols of a 64-bit ELF file, by name.

    Raises
    ------
    RuntimeError
        If the file lacks one of them.
    """
    with path.open("rb") as file:
        header = file.read(64)
        (start,), (size, count) = (
            struct.unpack_from(form, header, at) for form, at in (("<Q", 40), ("<HH", 58))
        )
        file.seek(start)
        sections = [_Section(*struct.unpack("<IIQQQQIIQQ", file.read(size))) for _ in range(count)]
        table = next((each for each in sections if each.kind == _SYMTAB), None)
        texts = b"" if table is None else sections[table.link].content(file)
        entries = np.frombuffer(b"" if table is None else table.content(file), _SYMBOL)
    found = {}
    for name in names:
        at = texts.find(b"\0" + name + b"\0") + 1
        known = entries["address"][entries["name"] == at]
        if not at or not len(known):
            raise RuntimeError(f"expected YNNPACK's processor flags in {path.name}, found none")
        found[name] = int(known[0])
    return found


class _Section(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry: int

    def content(self, file: BinaryIO) -> bytes:
        file.seek(self.offset)
        return file.read(self.size)


def _loaded(name: str) -> tuple[Path, int]:
    """Return the file of a library that this process has loaded, and where it begins in memory."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith(name) and line.split()[2] == "00000000":
            return Path(line.split(maxsplit=5)[5]), int(line.split("-")[0], 16)
    raise RuntimeError(f"expected {name} in this process, found none")
