"""npz files against numpy.savez, and hand-made broken ones; 3 s.

Run: pytest tests/data/formats/test_npz.py
"""

import io
import os
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from bakeoff.data import NpzSource, load, safe_reading
from bakeoff.errors import DataError
from bakeoff.utils.text import shown

X = np.arange(6 * 4 * 5, dtype=np.uint8).reshape(6, 4, 5)
Y = np.array([0, 1, 2, 0, 1, 2])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mine.npz"


def refusal(path):
    with pytest.raises(DataError) as error:
        load(NpzSource(path))
    message = str(error.value)
    assert message.startswith(f"{shown(path)}: ")
    return message.removeprefix(f"{shown(path)}: ")


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def write_zip(path, entries, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_one_part(path, save):
    save(path, x=X, y=Y)
    data = load(NpzSource(path))
    dark = "the largest pixel is 119, and white is taken to be 255: scale: says otherwise"
    assert (data.name, data.test_start, data.notes) == ("mine", None, (dark,))
    np.testing.assert_array_equal(data.images[..., 0], X)
    np.testing.assert_array_equal(data.labels, Y)


def test_two_parts_names_and_more(path):
    rgb = np.stack([X] * 3, axis=-1) / X[:3].max()
    np.savez(
        path, x_train=np.minimum(rgb, 1), y_train=Y, x_test=rgb[:3], y_test=Y[:3], ids=Y,
        class_names=np.array(["a", "b", "c"]),
    )  # fmt: skip
    data = load(NpzSource(path))
    assert data.input_shape == (4, 5, 3)
    assert data.class_names == ("a", "b", "c")
    assert data.test_start == 6
    assert data.notes == ("ignored the arrays ids",)
    np.testing.assert_allclose(data.images[6:], rgb[:3], rtol=1e-6)


@pytest.mark.parametrize(
    "x", [np.asfortranarray(X), X.astype(">i4"), X[::-1].T.T, X.astype("<u8"), X.astype(">f8")]
)
def test_orders_of_memory_and_bytes(path, x):
    np.savez(path, x=x, y=Y)
    np.testing.assert_array_equal(load(NpzSource(path)).images[..., 0], x)


def test_text_labels(path):
    np.savez(path, x=X, y=np.array(["ä", "b", "b", "b", "b", "ä"]))
    assert load(NpzSource(path)).class_names == ("b", "ä")
    np.savez(path, x=X, y=Y % 2, class_names=np.array([b"left", b"right"]))
    assert load(NpzSource(path)).class_names == ("left", "right")


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_versions_of_the_header(path, version):
    file = io.BytesIO()
    np.lib.format.write_array(file, X, version=version)
    write_zip(path, [("x.npy", file.getvalue()), ("y.npy", npy(Y))])
    np.testing.assert_array_equal(load(NpzSource(path)).images[..., 0], X)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"pictures": X, "y": Y},
            "expected the arrays x and y, or x_train, y_train, x_test and y_test, found pictures "
            "(6, 4, 5), y (6,): say which they are, as in {npz: …, keys: {x: NAME, y: NAME}}",
        ),
        (
            {"inputs": X, "pixels": X, "y": Y},
            "expected one array of x, found inputs and pixels: say which it is, as in {npz: …, "
            "keys: {x: inputs, y: NAME}}",
        ),
        (
            {"x": X, "y": np.array(Y, dtype=object)},
            "y: expected numbers or text, found Python objects: store it with a plain type, as in "
            "labels.astype(str)",
        ),
        (
            {"x": X, "y": np.zeros(6, [("a", int)])},
            "y: expected numbers or text in a plain array, found records",
        ),
        (
            {"x": X, "y": Y, "class_names": np.array([["a", "b", "c"]])},
            "class_names: expected text of shape (n_classes,), found <U1 of shape (1, 3)",
        ),
        (
            {"x": X, "y": Y, "class_names": np.array([b"a", b"b", b"\xff"])},
            "class_names: expected text in UTF-8, found other bytes",
        ),
        ({"x": X, "y": Y[:5]}, "y: expected 6 labels, one for every image of x, found 5"),
        (
            {"x": np.where(X == 7, np.nan, X), "y": Y},
            "x: expected finite pixels, found nan at [0, 1, 2]",
        ),
    ],
)
def test_other_arrays(path, arrays, message):
    np.savez(path, **arrays)
    assert refusal(path) == message


def test_what_is_no_zip(path):
    assert refusal(path).startswith(
        "expected the data, found nothing there: put it there, or write "
    )
    for content in (b"", bytes(1000)):
        path.write_bytes(content)
        text = "expected an .npz file, found one without content: get or make it again"
        assert refusal(path) == text
    np.save(path.with_suffix(".npy"), X)
    path.write_bytes(path.with_suffix(".npy").read_bytes())
    text = "expected an .npz file, found a file of another kind: name an .npz file"
    assert refusal(path) == text
    np.savez(path, x=X, y=Y)
    path.write_bytes(path.read_bytes()[:-100])
    text = "expected an .npz file, found one that is cut short: get or make it again"
    assert refusal(path) == text
    os.unlink(path)
    os.mkfifo(path)
    assert refusal(path) == "expected a file, found a folder, a pipe or a device"


def header(text, version=b"\1\0"):
    width = "<H" if version == b"\1\0" else "<I"
    return b"\x93NUMPY" + version + struct.pack(width, len(text)) + text


PLAIN = b"{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }"
NO_ARRAY = "x: expected an array as NumPy writes it, found something else"
EMPTY = "x: expected numbers or text in a plain array, found |U0 6"
STRANGE = "x: expected numbers or text in a plain array, found another header"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", NO_ARRAY),
        (header(PLAIN % b"6, 4, 5", b"\4\0"), NO_ARRAY),
        (header(PLAIN % b"6, 4, 5"), "x: expected 192 bytes as its header promises, found 72"),
        (
            header(PLAIN % b"1000000000, 1000000, 1000000"),
            "x: expected 1,000,000,000,000,000,000,093 bytes as its header promises, found 93",
        ),
        (header(b"(" * 9000), STRANGE),
        (header(b"-" * 9000 + b"1"), STRANGE),
        (header(b"{" + b"[" * 9000, b"\2\0"), STRANGE),
        (header(PLAIN % (b" " * 9000)), STRANGE),
        (header(b" " * 9000), STRANGE),
        (header(b"'shape':(" * 1000), STRANGE),
        (header(PLAIN % b"-1, 4, 5"), STRANGE),
        (header(PLAIN % b"__import__('os')"), STRANGE),
        (header(PLAIN % b"6, 4, 5")[:-9], STRANGE),
        (header((PLAIN % b"6").replace(b"|u1", b"|U0")), EMPTY),
        (
            header(bytes(70_000), b"\2\0"),
            "x: expected a header of at most 10,000 bytes, found 70,000",
        ),
        (npy(X)[:-1], "x: expected 248 bytes as its header promises, found 247"),
        (npy(X) + b"\0", "x: expected 248 bytes as its header promises, found 249"),
    ],
    ids=range(17),
)
def test_lying_headers(path, content, message):
    write_zip(path, [("x.npy", content), ("y.npy", npy(Y))])
    assert refusal(path) == message


def test_strange_archives(path):
    write_zip(path, [("x.npy", npy(X)), ("../y.npy", npy(Y))])
    assert "found x (6, 4, 5), ../y (6,): say which they are" in refusal(path)
    write_zip(path, [("x.npy", npy(X)), ("y\n.txt", b"")])
    assert refusal(path) == "expected a few arrays (.npy) of different names, found y\\n.txt"
    with pytest.warns(UserWarning, match="Duplicate name"):
        write_zip(path, [("x.npy", npy(X)), ("x.npy", npy(X))])
    assert refusal(path) == "expected a few arrays (.npy) of different names, found x.npy"
    write_zip(path, [("x.npy", npy(X)), ("y.npy", npy(Y))], zipfile.ZIP_LZMA)
    assert refusal(path) == "x: expected to be stored or deflated as NumPy does it"


def test_a_damaged_byte(path):
    np.savez(path, x=X, y=Y)
    content = bytearray(path.read_bytes())
    content[content.index(X.tobytes()) + 5] ^= 1
    path.write_bytes(content)
    assert refusal(path) == "broken (Bad CRC-32 for file 'x.npy'): get the file again"


def test_bombs_cost_neither_time_nor_memory(path):
    write_zip(path, [(f"{name}.npy", b"") for name in range(30_000)])
    tracemalloc.start()
    start = time.perf_counter()
    assert refusal(path).startswith("expected an .npz file of a few arrays, found a zip directory")
    zeros = header(PLAIN % b"200000000, 1, 1") + bytes(200_000_000)
    tracemalloc.reset_peak()
    write_zip(path, [("x.npy", zeros), ("y.npy", npy(Y))], zipfile.ZIP_DEFLATED)
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    start = time.perf_counter()
    assert "bytes would unpack to 200,000,000: store it unpacked if these are" in refusal(path)
    assert time.perf_counter() - start < 2
    assert tracemalloc.get_traced_memory()[1] - before < 4 << 20
    tracemalloc.stop()


def test_more_than_the_free_memory(path, monkeypatch):
    np.savez(path, x=X, y=Y)
    monkeypatch.setattr(safe_reading, "available_memory", lambda: 600)
    assert refusal(path) == (
        "expected at most 300 bytes of arrays (half of the free memory), found 336: use smaller "
        "images or fewer"
    )


def test_arrays_of_other_kinds_are_ignored_where_nobody_asks_for_them(tmp_path):
    """Dates of photographs, records of patients: the images beside them were refused, too."""
    images, labels = np.full((4, 3, 3), 255, np.uint8), np.arange(4) % 2
    path = tmp_path / "a.npz"
    when = np.array(["2024-01-01"] * 4, dtype="M8[D]")
    who = np.zeros(4, dtype=[("age", "i4"), ("weight", "f4")])
    np.savez(path, x=images, y=labels, when=when, who=who)
    assert load(NpzSource(path)).notes == ("ignored the arrays when, who",)
    for name, kind in {"when": "dates", "who": "records"}.items():
        said = f"{name}: expected numbers or text in a plain array, found {kind}"
        with pytest.raises(DataError, match=said):
            load(NpzSource(path, keys={"x": "x", "y": name}))
