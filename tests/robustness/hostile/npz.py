"""npz files that lie, swell or hold code."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.robustness.hostile.bombs import zip_bomb
from tests.robustness.hostile.case import Case

RECIPE = "name: x\ndata: {npz: d.npz}\nmodels: {mlp: {layers: []}}\n"
X = np.arange(20 * 4 * 4, dtype=np.uint8).reshape(20, 4, 4)
Y = np.arange(20) % 2


class Evil:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        import os

        return os.system, ("touch /tmp/bakeoff-was-here",)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=array.dtype.hasobject)
    return file.getvalue()


def raw(text: str, values: bytes = b"", version: int = 1) -> bytes:
    """An npy file with any header."""
    content = text.encode("latin-1")
    length = struct.pack("<H" if version == 1 else "<I", len(content))
    return b"\x93NUMPY" + bytes([version, 0]) + length + content + values


def described(descr: str, shape: str, order: str = "False", values: bytes = b"") -> bytes:
    return raw(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n", values)


def archive(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in members.items():
            zipped.writestr(f"{name}.npy", content)
    return file.getvalue()


def _file(name: str, content: bytes | Callable[[], bytes], *says: str) -> Case:
    def make(folder: Path) -> list[str]:
        (folder / "d.npz").write_bytes(content if isinstance(content, bytes) else content())
        (folder / "r.yaml").write_text(RECIPE)
        return ["run", "r.yaml"]

    return Case(f"npz {name}", make, ("d.npz", *says))


def _arrays(name: str, *says: str, **arrays: np.ndarray) -> Case:
    return _file(name, archive(**{key: npy(value) for key, value in arrays.items()}), *says)


def headers() -> list[Case]:
    """Arrays whose headers lie."""
    y = npy(Y)

    def of(name: str, x: bytes, *says: str) -> Case:
        return _file(name, archive(x=x, y=y), *says)

    return [
        of("of a pickle", pickle.dumps(Evil()), "x", "expected an array"),
        of(
            "of an object array",
            described("'|O'", "(20, 4, 4)", values=pickle.dumps(Evil())),
            "obj",
        ),
        of("of a list of pickles", npy(np.array([Evil()] * 20, dtype=object)), "Python objects"),
        of("of a record with objects", described("[('a', '|O')]", "(20,)"), "x"),
        of("of a header with code", described("__import__('os').system('id')", "(20,)"), "x"),
        of(
            "of a header with a call",
            raw("{'descr': '|u1', 'fortran_order': exit(), 'shape': ()}"),
            "x",
        ),
        of("of a header of 4 GB", b"\x93NUMPY\x02\0" + b"\xff" * 4 + b"{", "header"),
        of("of a header of 60,000 brackets", raw("(" * 60_000), "header"),
        of("of a header that is cut", b"\x93NUMPY\x01\0\xff\0{", "header"),
        of("of version 9", b"\x93NUMPY\x09\0\x10\0" + b" " * 16, "expected an array"),
        of("of no magic", b"hello world" * 10, "expected an array"),
        of("of no bytes", b"", "x"),
        of("of 2^63 images", described("'|u1'", "(9223372036854775807, 4, 4)"), "x"),
        of("of a shape that wraps", described("'|u1'", "(4294967296, 4294967296, 1)"), "x"),
        of("of a negative shape", described("'|u1'", "(-1, 4, 4)"), "x"),
        of("of a shape of text", described("'|u1'", "('20', 4, 4)"), "x"),
        of("of 64 dimensions", described("'|u1'", f"({'1, ' * 64})"), "x"),
        of(
            "of fewer bytes than promised",
            described("'|u1'", "(20, 4, 4)", values=bytes(9)),
            "header promises",
        ),
        of(
            "of more bytes than promised",
            described("'|u1'", "(20, 4, 4)", values=bytes(999)),
            "header promises",
        ),
        of("of huge items", described("'|S999999'", "(20, 4, 4)"), "header promises"),
        of("of items of no size", described("'|S0'", "(20, 4, 4)"), "x"),
        of("of complex numbers", npy(X.astype(complex)), "x"),
        of("of times", npy(X.astype("datetime64[s]")), "x"),
    ]


def values() -> list[Case]:
    """Arrays that are no images and labels."""
    holes = X.astype(np.float32)
    holes[3, 1, 2] = np.nan
    endless = X.astype(np.float32)
    endless[3, 1, 2] = np.inf
    return [
        _arrays("with NaN pixels", "finite pixels", x=holes, y=Y),
        _arrays("with infinite pixels", "finite pixels", x=endless, y=Y),
        _arrays("with negative pixels", "pixels", x=X.astype(np.int16) - 300, y=Y),
        _arrays("with pixels of 10^30", "pixels", x=X.astype(np.float64) * 1e30, y=Y),
        _arrays("with NaN labels", "a label for every image", x=X, y=np.full(20, np.nan)),
        _arrays("of one class", "at least 2 classes", x=X, y=Y * 0),
        _arrays("of a label too few", "expected 20 labels", x=X, y=Y[:-1]),
        _arrays("of no images", "at least one image", x=X[:0], y=Y[:0]),
        _arrays("of flat images", "shape", x=X.reshape(20, -1)[:, :15], y=Y),
        _arrays("of 7 channels", "shape", x=np.zeros((20, 4, 4, 7), np.uint8), y=Y),
        _arrays("of probabilities as labels", "argmax", x=X, y=np.eye(2)[Y] / 2 + 0.1),
        _arrays(
            "of labels past the names",
            "class_names",
            x=X,
            y=Y + 5,
            class_names=np.array(["a", "b"]),
        ),
        _arrays(
            "of labels before the names",
            "class_names",
            x=X,
            y=Y - 1,
            class_names=np.array(["a", "b"]),
        ),
        _arrays("of labels of 2^64-1", "2**63", x=X, y=Y.astype(np.uint64) + np.uint64(2**64 - 9)),
        _arrays("of equal names", "twice", x=X, y=Y, class_names=np.array(["a", "a"])),
        _arrays("of an empty name", "empty", x=X, y=Y, class_names=np.array(["a", " "])),
        _arrays("with half a test part", "x_test", x_train=X, y_train=Y, x_test=X),
        _arrays("of text as images", "numbers", x=X.astype(str), y=Y),
        _arrays("of bytes that are no text", "UTF-8", x=X, y=np.array([b"\xff\xfe"] * 20)),
        _arrays(
            "of a test part of another size",
            "images of",
            x_train=X,
            y_train=Y,
            x_test=X[:, :2],
            y_test=Y,
        ),
        _arrays(
            "of a class in the test part alone",
            "test part only",
            x_train=X,
            y_train=Y,
            x_test=X,
            y_test=Y + 1,
        ),
        _arrays("of the wrong names", "expected the arrays", a=X, b=Y),
    ]


def zips() -> list[Case]:
    """Archives that swell, cheat or break."""
    good = archive(x=npy(X), y=npy(Y))

    def bomb() -> bytes:
        first = described("'|u1'", "(1073741824, 1, 1)")
        return zip_bomb("x.npy", 1024, first=first, others={"y.npy": npy(Y)})

    def overlapping() -> bytes:
        """Every entry of the directory points to the same bytes."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("x.npy", npy(X))
            first = zipped.filelist[0]
            for number in range(3000):
                each = zipfile.ZipInfo(f"a{number}.npy")
                for key in ("compress_type", "CRC", "compress_size", "file_size", "header_offset"):
                    setattr(each, key, getattr(first, key))
                zipped.filelist.append(each)
            zipped._didModify = True
        return file.getvalue()

    def nested() -> bytes:
        content = good
        for _ in range(20):
            content = archive(x=content, y=content)
        return content

    def twice() -> bytes:
        file = io.BytesIO()
        import warnings

        with warnings.catch_warnings(), zipfile.ZipFile(file, "w") as zipped:
            warnings.simplefilter("ignore")
            for content in (npy(X), pickle.dumps(Evil())):
                zipped.writestr("x.npy", content)
            zipped.writestr("y.npy", npy(Y))
        return file.getvalue()

    def encrypted() -> bytes:
        content = bytearray(good)
        for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            place = content.find(signature)
            content[place + offset] |= 1
        return bytes(content)

    def many() -> bytes:
        content = npy(Y[:1])
        return archive(**{f"a{number}": content for number in range(30_000)})

    return [
        _file("of a bomb", bomb, "x"),
        _file("of overlapping entries", overlapping, ""),
        _file("of zips in zips", nested, ""),
        _file("of an entry twice", twice, "x"),
        _file("that is encrypted", encrypted, ""),
        _file("of 30,000 arrays", many, ""),
        _file("that is cut", good[: len(good) // 2], ""),
        _file("with its directory cut", good[:-10], ""),
        _file("with a flipped byte", _flipped(good), ""),
        _file("that is empty", b"", ""),
        _file("that is an npy", npy(X), ""),
        _file("that is a pickle", pickle.dumps(Evil()), ""),
        _file("of a zip's end alone", b"PK\5\6" + bytes(18), ""),
        _file("of a directory of 4 GB", b"PK\5\6" + b"\xff" * 16 + b"\0\0", ""),
        _file("of paths", archive(**{"../../x": npy(X), "/etc/y": npy(Y)}), "expected the arrays"),
        _file("of a name of two lines", archive(**{"a\nb": npy(X)}), "expected the arrays"),
    ]


def _flipped(content: bytes) -> bytes:
    place = content.find(b"\x93NUMPY") if b"\x93NUMPY" in content else 60
    return content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]


def cases() -> list[Case]:
    """All of them."""
    return [*headers(), *values(), *zips()]
