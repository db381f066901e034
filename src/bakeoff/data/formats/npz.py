"""Data sets in .npz files: headers are judged before memory is asked for. No pickles."""

import math
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import DataSet
from bakeoff.data.formats.array_keys import array_keys, given_parts
from bakeoff.data.in_memory.arrays import check_shapes, from_parts
from bakeoff.data.labels import decoded
from bakeoff.data.safe_reading import check_memory, regular_file
from bakeoff.data.sources import NpzSource
from bakeoff.errors import DataError
from bakeoff.utils.text import shown

_LOCAL_FILE = b"PK\3\4"  # how a zip file begins
_DIRECTORY = 1 << 20  # bytes of a zip directory; a data set has five entries
_HEADER = 10_000  # bytes of an array's header, NumPy's own limit
_CHUNK = 1 << 20
_FREE = 1 << 26  # bytes that may be packed at any ratio
_RATIO = 200  # above that size; MNIST packs 1 : 5, MNIST in black and white 1 : 40
_DESCR = re.compile(r"'descr':\s*'([<>|=]?[biufSU][0-9]{1,6})'")
_ORDER = re.compile(r"'fortran_order':\s*(True|False)")
_SHAPE = re.compile(r"'shape':\s*\(((?:[0-9]{1,18}, ?)*(?:[0-9]{1,18})?)\)")
_WHOLE = re.compile(r"\{(?:[^{}])*\}\s*")


def load_npz(source: NpzSource) -> DataSet:
    """Read a data set from an .npz file, its arrays called as people usually do or as `keys` says.

    Shapes and types as in `from_parts`. Raises DataError for anything else.
    """
    path = Path(source.npz)
    with regular_file(path) as (file, size), _Archive(file, size) as archive:
        return _read(archive, path, source)


def _read(archive: "_Archive", path: Path, source: NpzSource) -> DataSet:
    headers = archive.headers
    keys, notes = array_keys(
        {name: (each.shape, each.dtype.kind in "USO") for name, each in headers.items()},
        source.keys,
    )
    names = [key for role, key in keys.items() if role != "class_names"]
    for name in keys.values():
        if headers[name].dtype.hasobject:
            raise _objects(shown(name), headers[name].kind, images=name in names[::2])
    described = [(name, headers[name].shape, headers[name].dtype) for name in names]
    check_shapes(described[::2], described[1::2])
    check_memory(2 * sum(headers[name].nbytes for name in names))
    class_names = _class_names(archive, keys["class_names"]) if "class_names" in keys else None
    values = {name: archive.read(name) for name in names[::-1]}  # labels before their images
    parts = given_parts(keys, values)
    return from_parts(
        path.stem, parts, class_names=class_names, scale=source.scale, notes=tuple(notes)
    )


def _class_names(archive: "_Archive", key: str) -> list[str]:
    header = archive.headers[key]
    if header.dtype.kind not in "US" or len(header.shape) != 1 or header.nbytes > _CHUNK:
        raise DataError(
            f"{shown(key)}: expected text of shape (n_classes,), found {header.dtype} of shape "
            f"{header.shape}"
        )
    return [str(name) for name in decoded(key, archive.read(key))]


def read_arrays(path: Path, names: tuple[str, ...], *, limit: int) -> dict[str, NDArray[Any]]:
    """Read arrays of an .npz file by name, at most `limit` bytes in all."""
    with regular_file(path) as (file, size), _Archive(file, size) as archive:
        archive.check_names(names, ", ".join(names))
        if sum(archive.headers[name].nbytes for name in names) > limit:
            raise DataError(f"expected at most {limit:,} bytes of arrays")
        return {name: archive.read(name) for name in names}


def read_images(path: Path) -> NDArray[Any]:
    """Return the images of an .npz file: the array x, images or x_test, or its only array."""
    with regular_file(path) as (file, size), _Archive(file, size) as archive:
        known: list[str] = [n for n in ("x", "images", "x_test") if n in archive.headers]
        names = (known or list(archive.headers))[:2]
        if not known and len(names) != 1:
            archive.check_names(("x",), "x, images or x_test, or a single one")
        check_memory(2 * archive.headers[names[0]].nbytes)
        return archive.read(names[0])


@dataclass(frozen=True)
class _Header:
    """What an array says of itself; `start` is where its values begin in its entry.

    kind : of values that are not read here, in words; their type is then object
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: Literal["C", "F"]
    start: int
    kind: str = "Python objects"

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


class _Archive:
    """The arrays of an open .npz file: all headers at once, values on request."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        bounded = _Bounded(file, size)
        try:
            self._zip = zipfile.ZipFile(bounded)
        except zipfile.BadZipFile:
            file.seek(0)
            start = file.read(4)
            found = "a file of another kind: name an .npz file"
            if start == _LOCAL_FILE:
                found = "one that is cut short: get or make it again"
            elif not start.strip(b"\0"):
                found = "one without content: get or make it again"
            raise DataError(f"expected an .npz file, found {found}") from None
        bounded.largest = max(size, _DIRECTORY)
        self.headers: dict[str, _Header] = {}
        for info in self._zip.infolist():
            self._add(info, size)

    def __enter__(self) -> "_Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def _add(self, info: zipfile.ZipInfo, size: int) -> None:
        name = info.filename.removesuffix(".npy")
        if name == info.filename or name in self.headers or len(self.headers) > 63:
            raise DataError(
                f"expected a few arrays (.npy) of different names, found {shown(info.filename)}"
            )
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(f"{shown(name)}: expected to be stored or deflated as NumPy does it")
        if info.compress_size > size:
            raise DataError(f"{shown(name)}: packed size larger than the file")
        with self._zip.open(info) as stream:
            header = _read_header(stream, shown(name))
        if header.dtype.hasobject:  # never unpacked; refused if it is asked for
            self.headers[name] = header
            return
        if info.file_size != header.start + header.nbytes:
            raise DataError(
                f"{shown(name)}: expected {header.start + header.nbytes:,} bytes as its header "
                f"promises, found {info.file_size:,}"
            )
        if header.nbytes > max(_FREE, _RATIO * info.compress_size):
            raise DataError(
                f"{shown(name)}: {info.compress_size:,} bytes would unpack to {header.nbytes:,}: "
                "store it unpacked if these are images"
            )
        self.headers[name] = header

    def check_names(self, names: tuple[str, ...], expected: str) -> None:
        """Refuse an archive that lacks one of the arrays."""
        if not set(names) <= self.headers.keys():
            found = ", ".join(shown(name, limit=40) for name in list(self.headers)[:8])
            raise DataError(f"expected the arrays {expected}, found {found or 'none'}")

    def read(self, name: str) -> NDArray[Any]:
        """Return an array in the machine's byte order."""
        header = self.headers[name]
        if header.dtype.hasobject:
            raise _objects(shown(name), header.kind)
        values = np.empty(header.nbytes, dtype=np.uint8)
        with self._zip.open(f"{name}.npy") as stream:
            stream.read(header.start)
            filled = 0
            while chunk := stream.read(min(_CHUNK, header.nbytes - filled) or 1):
                if filled + len(chunk) > header.nbytes:
                    break
                values[filled : filled + len(chunk)] = np.frombuffer(chunk, dtype=np.uint8)
                filled += len(chunk)
        if filled != header.nbytes or chunk:
            raise DataError(
                f"{shown(name)}: expected the length that its header promises, found "
                f"{'more' if filled == header.nbytes else 'less'}: save it again"
            )
        array = values.view(header.dtype).reshape(header.shape, order=header.order)
        found = np.ascontiguousarray(array, dtype=header.dtype.newbyteorder("="))
        return found.reshape(header.shape)  # a lone value has become an array of one


def _kind_of(header: str) -> str | None:
    """Return in words what an array holds whose type is not read here; None if unknown."""
    kinds = {"c": "complex numbers", "M": "dates", "m": "spans of time", "[": "records"}
    found = re.search(r"'descr': '?[<>|=]?([cMm\[])", header)
    return kinds[found.group(1)] if found else None


def _read_header(stream: IO[bytes], name: str) -> _Header:
    """Read an array's header: NumPy's format 1, 2 or 3, without evaluating any Python."""
    magic = stream.read(8)
    if magic[:6] != b"\x93NUMPY" or len(magic) < 8 or magic[6] not in (1, 2, 3):
        raise DataError(f"{name}: expected an array as NumPy writes it, found something else")
    width = 2 if magic[6] == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    if length > _HEADER:
        raise DataError(f"{name}: expected a header of at most {_HEADER:,} bytes, found {length:,}")
    text = stream.read(length).decode("latin-1")
    if "'descr': '|O'" in text or "'descr': 'O'" in text:
        return _Header(np.dtype(object), (), "C", 0)
    found = [each.search(text) for each in (_DESCR, _ORDER, _SHAPE)]
    descr, order, shape = (each.group(1) if each else "" for each in found)
    if len(text) < length or not _WHOLE.fullmatch(text) or not all(found):
        kind = _kind_of(text)
        if kind is not None:  # refused if it is asked for
            return _Header(np.dtype(object), (), "C", 0, kind)
        raise DataError(f"{name}: expected numbers or text in a plain array, found another header")
    dimensions = tuple(int(each) for each in shape.split(",") if each.strip())
    dtype = np.dtype(descr)
    if dtype.itemsize == 0 or len(dimensions) > 8:
        raise DataError(f"{name}: expected numbers or text in a plain array, found {descr} {shape}")
    return _Header(dtype, dimensions, "F" if order == "True" else "C", 8 + width + length)


def _objects(name: str, kind: str, *, images: bool = False) -> DataError:
    if kind != _Header.kind:
        return DataError(f"{name}: expected numbers or text in a plain array, found {kind}")
    cure = "as in labels.astype(str)"
    if images:
        cure = "as in np.stack(images), which needs images of one size"
    return DataError(
        f"{name}: expected numbers{'' if images else ' or text'}, found Python objects: store it "
        f"with a plain type, {cure}"
    )


class _Bounded:
    """A file that refuses to be read in pieces larger than `largest`: a zip directory may lie."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self.largest = _DIRECTORY
        self.seek, self.tell = file.seek, file.tell

    def seekable(self) -> bool:
        return True

    def read(self, count: int = -1) -> bytes:
        wanted = self._size - self._file.tell() if count < 0 else count
        if wanted > self.largest:
            raise DataError(
                f"expected an .npz file of a few arrays, found a zip directory of {wanted:,} bytes"
            )
        return self._file.read(max(wanted, 0))
