"""IDX files that lie, in the place of MNIST's; npz files in the place of Keras's copy."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.robustness.hostile.bombs import gzip_bomb
from tests.robustness.hostile.case import Case

RECIPE = "name: x\ndata: mnist\nmodels: {mlp: {layers: []}}\n"
FILES = {
    "train-images-idx3-ubyte": (60_000, 28, 28),
    "train-labels-idx1-ubyte": (60_000,),
    "t10k-images-idx3-ubyte": (10_000, 28, 28),
    "t10k-labels-idx1-ubyte": (10_000,),
}
LABELS = "train-labels-idx1-ubyte"  # read first


def header(shape: tuple[int, ...], kind: int = 8, magic: bytes = b"\0\0") -> bytes:
    return magic + bytes([kind, len(shape)]) + b"".join(struct.pack(">I", n) for n in shape)


def _placed(
    name: str, what: bytes | Callable[[], bytes], *says: str, ending: str = "", file: str = LABELS
) -> Case:
    def make(folder: Path) -> list[str]:
        content = what() if callable(what) else what
        place = folder / "data" / "mnist"
        place.mkdir(parents=True)
        for each in FILES:
            (place / f"{each}{ending}").write_bytes(content if each == file else b"")
        (folder / "r.yaml").write_text(RECIPE)
        return ["run", "r.yaml"]

    return Case(
        f"IDX {name}", make, (f"{file}{ending}", *says), environment={"BAKEOFF_DATA": "data"}
    )


def _npz(name: str, *says: str, **arrays: np.ndarray) -> Case:
    def make(folder: Path) -> list[str]:
        place = folder / "data" / "mnist"
        place.mkdir(parents=True)
        np.savez_compressed(place / "mnist.npz", **arrays)
        (folder / "r.yaml").write_text(RECIPE)
        return ["run", "r.yaml"]

    return Case(f"IDX's npz {name}", make, says, environment={"BAKEOFF_DATA": "data"})


def cases() -> list[Case]:
    """All of them."""
    n = 60_000
    labels = bytes(n)
    good = header((n,))
    packed = gzip.compress(good + labels)
    plain = [
        _placed("that is empty", b"", "an empty one"),
        _placed("of a wrong magic", header((n,), magic=b"\1\0") + labels, "begins 01 00 08 01"),
        _placed("of text", b"label,pixel\n5,0\n" * 1000, "expected an IDX file"),
        _placed("of HTML", b"<!DOCTYPE html><html>404</html>", "expected an IDX file"),
        _placed("of no dimensions", header(()) + labels, "expected an IDX file"),
        _placed("of 255 dimensions", b"\0\0\x08\xff" + b"\0\0\0\1" * 255, "dimensions"),
        _placed("of 5 dimensions", header((1, 1, 1, 1, 1)) + b"\0", "dimensions"),
        _placed("of floats", header((n,), kind=0x0D) + labels * 4, "type 13"),
        _placed("of signed bytes", header((n,), kind=9) + labels, "type 9"),
        _placed("of an unknown type", header((n,), kind=0xEE) + labels, "type 238"),
        _placed("with its header cut", good[:6], "header of 1 dimensions"),
        _placed("of 2^32-1 labels", header((2**32 - 1,)) + labels, "a header that promises"),
        _placed("of a product of 2^128", header((2**32 - 1,) * 4) + labels, "a header that"),
        _placed("of a product that wraps to 0", header((2**31, 2**31, 4)), "a header that"),
        _placed("of one label too many", header((n + 1,)) + labels, "60000", "60001"),
        _placed("of one byte too few", good + labels[:-1], "bytes that its header promises"),
        _placed("with trailing bytes", good + labels + b"x", "bytes that its header promises"),
        _placed("of an image's shape", header((n, 28, 28)) + bytes(100), "shape"),
        _placed("of no labels", header((0,)), "shape"),
        _placed("of wrong labels", good + b"\xc8" * n, "found another"),
        _placed("of shifted labels", good + bytes([1]) * n, "found another"),
    ]
    zipped = [
        _placed("in a broken gzip", b"\x1f\x8b" + bytes(50), "gzip", ending=".gz"),
        _placed("in a cut gzip", packed[: len(packed) // 2], "gzip", ending=".gz"),
        _placed("in a flipped gzip", packed[:-6] + b"\xff" * 6, "gzip", ending=".gz"),
        _placed("in two gzip members", packed + packed, "after the gzip data", ending=".gz"),
        _placed("with bytes after the gzip", packed + b"evil", "after the gzip", ending=".gz"),
        _placed("in a gzip bomb", lambda: gzip_bomb(1 << 10), "expected an IDX file", ending=".gz"),
        _placed(
            "in a gzip bomb with a header",
            lambda: gzip_bomb(1 << 7, first=good),
            "bytes that its header promises",
            ending=".gz",
        ),
        _placed("in a gzip with a long name", _named(good + labels), "", ending=".gz"),
    ]
    npz = [
        _npz("without labels", "mnist.npz", "y_train", x_train=np.zeros((1, 28, 28), np.uint8)),
        _npz(
            "of other images",
            "mnist.npz",
            x_train=np.zeros((60_000, 28, 28), np.uint8),
            y_train=np.zeros(60_000, np.uint8),
            x_test=np.zeros((10_000, 28, 28), np.uint8),
            y_test=np.zeros(10_000, np.uint8),
        ),
    ]
    return [*plain, *zipped, *npz]


def _named(content: bytes) -> bytes:
    """A gzip file whose name field has a million bytes, of labels that are not MNIST's."""
    packed = gzip.compress(content)
    return packed[:3] + b"\x08" + packed[4:10] + b"x" * 1_000_000 + b"\0" + packed[10:]
