"""A size, a colour and a fit, guessed from a sample of pictures.

Oracle: pictures of known sizes. Cost: 1 s. Run: pytest tests/data/image_files/test_guess.py
"""

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from bakeoff.data.image_files.guess import SAMPLE, guess, guess_files, sample


def file(height, width, *, colour=False, orientation=1):
    pixels = np.full((height, width, 3), 90, np.uint8)
    pixels[0, 0] = [200, 10, 10] if colour else [200, 200, 200]
    exif, content = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(content, "PNG", exif=exif)
    return content.getvalue()


@pytest.mark.parametrize(
    ("files", "size", "color", "fit", "said"),
    [
        ([file(28, 28)] * 3, (28, 28), "grey", "stretch", "All pictures looked at are 28×28"),
        ([file(128, 64)], (64, 32), "grey", "stretch", "All pictures looked at are 128×64"),
        ([file(100, 600)], (32, 192), "grey", "stretch", "All pictures looked at are 100×600"),
        ([file(3000, 100)], (256, 9), "grey", "stretch", "All pictures looked at are 3000×100"),
        ([file(20, 200)], (20, 200), "grey", "stretch", "All pictures looked at are 20×200"),
        ([file(2, 2, colour=True)], (8, 8), "rgb", "stretch", "All pictures looked at are 2×2"),
        ([file(20, 40, orientation=6)], (40, 20), "grey", "stretch", "All pictures looked at"),
        (
            [file(40, 40), file(60, 40), file(40, 40)],
            *((40, 40), "grey", "crop"),
            "Typical pictures looked at are 40×40, of different shapes: they are cropped in the "
            "middle (fit)",
        ),
        (  # upright and lying: none is square
            [file(40, 30), file(30, 40)] * 2,
            *((30, 30), "grey", "crop"),
            "Pictures looked at are 30 high and 30 wide in the median, of different shapes: they "
            "are cropped in the middle (fit)",
        ),
        (  # 3:1 and 1:2 on a square: two thirds of the one, half of the other
            [file(60, 20), file(20, 40), file(20, 20)],
            *((20, 20), "grey", "crop"),
            "Typical pictures looked at are 20×20, of different shapes: they are cropped in the "
            "middle (fit), which cuts up to 67 % off a picture; fit: pad keeps all",
        ),
    ],
    ids=range(10),
)
def test_what_suits_the_pictures(files, size, color, fit, said):
    found, words = guess([b"no picture", *files])
    assert (found.size, found.color, found.fit) == (size, color, fit)
    assert words.startswith(said)


def test_no_picture_could_be_read(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    assert guess_files([tmp_path / "a.png", tmp_path / "absent"])[1] == "No picture could be read"


@pytest.mark.parametrize("count", [0, 1, SAMPLE - 1, SAMPLE, SAMPLE + 1, 7 * SAMPLE + 3])
def test_a_sample_is_spread_evenly(count):
    rows = list(sample(count))
    assert len(rows) == min(count, SAMPLE)
    assert all(0 <= row < count for row in rows)
    assert len({b - a for a, b in itertools.pairwise(rows)}) <= 1
