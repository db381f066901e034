"""Figures brought into the frame of the training images.

Oracle: MNIST itself, which is centred already, so that centring must leave it as it is; figures
drawn at known places; the published description of MNIST (a box of 20 pixels, centre of mass).
Cost: 3 s. Run: pytest tests/data/test_centring.py
"""

import numpy as np
import pytest
from scipy import ndimage

from bakeoff.data.centring import Frame, centred, frame_of

FRAME = Frame(size=(28, 28), box=20, light_ink=True, by_mass=True, middle=(14.0, 14.0))


def stroke(size=(200, 300), corner=(30, 180), length=80, paper=230, ink=30):
    """Return a picture of a letter L, whose centre of mass is not that of its box."""
    picture = np.full(size, paper, np.uint8)
    top, left = corner
    picture[top : top + length, left : left + 10] = ink
    picture[top + length - 10 : top + length, left : left + length // 2] = ink
    return picture


@pytest.mark.parametrize(
    "picture",
    [
        stroke(),
        stroke(corner=(5, 5)),
        stroke(paper=20, ink=240),
        stroke(length=150),
        stroke() - np.linspace(0, 90, 300).astype(np.uint8),  # a shadow
    ],
    ids=["dark on light", "in a corner", "light on dark", "large", "with a shadow"],
)
def test_a_figure_comes_to_the_same_wherever_it_was(picture):
    figure = centred(picture, FRAME)[..., 0]
    rows, columns = (np.flatnonzero(figure.max(axis=axis) > 60) for axis in (1, 0))
    assert rows[-1] - rows[0] + 1 == pytest.approx(20, abs=1)
    assert columns[-1] - columns[0] + 1 == pytest.approx(10, abs=1)
    assert ndimage.center_of_mass(figure) == pytest.approx((14, 14), abs=0.6)
    assert figure[0, 0] == 0 and figure.max() > 240


def test_dark_ink_stays_dark_where_training_has_it_so():
    frame = Frame((28, 28), 20, light_ink=False, by_mass=True, middle=(14.0, 14.0))
    assert np.array_equal(255 - centred(stroke(), frame), centred(stroke(), FRAME))


def test_an_empty_page_is_no_figure(rng):
    page = np.clip(200 + rng.normal(0, 2, (100, 100)), 0, 255).astype(np.uint8)
    assert centred(page, FRAME) is None


@pytest.mark.parametrize("by_mass", [True, False])
@pytest.mark.parametrize("light", [True, False])
def test_the_frame_of_figures_that_were_put_into_one(rng, by_mass, light):
    images = np.zeros((60, 28, 28, 1), np.uint8)
    for image in images:
        thick, wide = int(rng.integers(2, 7)), int(rng.integers(8, 15))
        figure = np.zeros((20, wide), np.uint8)
        figure[:, :thick] = figure[20 - thick :] = 255
        at = ndimage.center_of_mass(figure) if by_mass else (9.5, (wide - 1) / 2)
        top, left = (round(14 - each) for each in at)
        image[top : top + 20, left : left + wide, 0] = figure
    images[0] = 0
    images[0, 2:26, 14] = 255  # one longer figure: the median counts
    frame = frame_of(images if light else 255 - images, 255.0)
    assert (frame.size, frame.box) == ((28, 28), 20)
    assert (frame.light_ink, frame.by_mass) == (light, by_mass)
    assert frame.middle == pytest.approx((14, 14), abs=0.6)


def test_mnist_has_the_frame_it_was_made_with_and_keeps_it(mnist):
    frame = frame_of(mnist.images[:500], 255.0)
    assert (frame.box, frame.light_ink, frame.by_mass) == (20, True, True)
    assert frame.middle == pytest.approx((14, 14), abs=0.1)
    images = mnist.images[60_000:60_100]
    again = np.stack([centred(image[..., 0], frame) for image in images])
    assert np.abs(again.astype(float) - images).mean() < 0.015 * 255


def test_pictures_without_an_even_background_have_no_frame(rng):
    images = rng.integers(0, 256, (50, 16, 16, 1)).astype(np.uint8)
    assert frame_of(images, 255.0) is None
    assert frame_of(np.zeros((5, 16, 16, 3), np.uint8), 255.0) is None
    assert frame_of(np.zeros((5, 16, 16, 1), np.uint8), 255.0) is None
