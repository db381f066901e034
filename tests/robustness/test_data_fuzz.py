"""Broken at random: thousands of damaged IDX, npz, PNG and JPEG files; 2 s.

Oracle: a file is read or refused with a DataError of one line, within two seconds; no other
exception, no warning. BAKEOFF_FUZZ=100000 tries that many files.

Run: pytest tests/robustness/test_data_fuzz.py
"""

import gzip
import io
import os
import random
import time

import numpy as np
import pytest
from PIL import Image

from bakeoff.data import NpzSource, load
from bakeoff.data.formats.idx import read_idx
from bakeoff.data.image_files.image_file import decode_file, decoding
from bakeoff.errors import DataError
from tests.helpers.idx import idx_bytes

CASES = int(os.environ.get("BAKEOFF_FUZZ", "4000"))
EXTREMES = (b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x01\x00")


def npz(save=np.savez, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def picture(pixels, mode, kind, **options):
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(file, kind, **options)
    return file.getvalue()


def whole_files():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (20, 5, 6), dtype=np.uint8)
    y = np.arange(20) % 3
    rgba = rng.integers(0, 256, (9, 11, 4), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    png = [picture(rgba, mode, "PNG") for mode in ("RGB", None, "P", "1", "LA")]
    jpeg = [picture(rgba, mode, "JPEG", quality=50, exif=exif) for mode in ("L", "RGB", "CMYK")]
    return {
        read_idx: [idx_bytes(x), gzip.compress(idx_bytes(x)), idx_bytes(y)],
        read_npz: [
            npz(x=x, y=y),
            npz(np.savez_compressed, x=x / 255.0, y=y.astype(str)),
            npz(x_train=x, y_train=y, x_test=x, y_test=y, class_names=np.array(["a", "b", "c"])),
        ],
        read_any_picture: [
            *png,
            *jpeg,
            picture(rgba, "RGB", "JPEG", progressive=True),
            picture(rgba[..., 0].astype(np.uint16) * 257, None, "PNG"),
        ],
    }


def read_npz(path):
    return load(NpzSource(path))


def read_any_picture(path):
    with decoding():
        decode_file(path, size=(8, 8), color="grey")


def damaged(content, chance):
    content = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        if not content:
            break
        place = chance.randrange(len(content))
        match chance.randrange(6):
            case 0:
                content[place] = chance.randrange(256)
            case 1:
                content[place] ^= 1 << chance.randrange(8)
            case 2:
                del content[place : place + chance.randrange(1, 20)]
            case 3:
                content[place:place] = chance.randbytes(chance.randrange(1, 9))
            case 4:
                content[place : place + 4] = chance.choice(EXTREMES)
            case 5:
                del content[place:]
    return bytes(content)


@pytest.mark.parametrize(
    ("read", "wholes"), whole_files().items(), ids=lambda value: getattr(value, "__name__", "")
)
def test_damaged_files(read, wholes, tmp_path):
    chance = random.Random(0)
    path = tmp_path / "file"
    refused = 0
    for case in range(CASES // 3):
        content = damaged(chance.choice(wholes), chance)
        path.write_bytes(content)
        start = time.perf_counter()
        try:
            read(path)
        except DataError as error:
            refused += 1
            assert "\n" not in str(error), f"case {case}"
            assert len(str(error)) < 800, f"case {case}"
        assert time.perf_counter() - start < 2, f"case {case}"
    assert refused > CASES // 6
