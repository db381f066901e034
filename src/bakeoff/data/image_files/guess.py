"""A size, a colour and a fit that suit a set of pictures, guessed from a sample of them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median_low

from bakeoff.data.image_files.image_file import MAX_BYTES, decode, decoding, upright
from bakeoff.data.safe_reading import regular_file
from bakeoff.data.sources import Color, Pictures
from bakeoff.errors import DataError
from bakeoff.utils.text import percent

SAMPLE = 200  # pictures looked at
_SIDES = (8, 64)  # the sides of the guessed size lie between
_NARROW = 32  # pixels that a long picture keeps of its shorter side,
_LONG = 256  # unless its longer side were above this
_HALF = 0.5  # of a picture: where cropping leaves less, that is said
_ODD = 1.15  # pictures whose shapes differ by more than this are not stretched


def sample(count: int) -> range:
    """Return the positions of the pictures that are looked at, of `count`."""
    return range(0, count, max(count // SAMPLE, 1))[:SAMPLE]


def guess_files(files: Sequence[Path]) -> tuple[Pictures, str]:
    """Return what `guess` finds in a sample of some image files."""

    def contents() -> Iterator[bytes]:
        for place in sample(len(files)):
            with suppress(DataError), regular_file(files[place]) as (file, length):
                yield file.read(min(length, MAX_BYTES))

    return guess(contents())


def guess(contents: Iterable[bytes]) -> tuple[Pictures, str]:
    """Return how to read pictures, and what was found of their sizes, in words.

    Sizes are those of the pictures as they are shown: EXIF orientation counts. Pictures of one
    shape are stretched (they only shrink); of several shapes, they are cropped.

    contents : of image files; those that cannot be read are left to the loading, which says why
    """
    sizes, coloured = _sizes(contents)
    if not sizes:
        return Pictures(), "No picture could be read"
    height, width = (median_low(each) for each in zip(*sizes, strict=True))
    short, long = sorted((height, width))
    shrink = min(max(long / _SIDES[1], 1), max(short / _NARROW, long / _LONG, 1))
    tall, wide = (max(round(side / shrink), _SIDES[0]) for side in (height, width))
    shapes = [each[0] / each[1] for each in sizes]
    odd = max(shapes) > _ODD * min(shapes)
    about = (
        f"{'All' if len(set(sizes)) == 1 else 'Typical'} pictures looked at are {height}×{width}"
    )
    if (height, width) not in sizes:  # such as upright and lying ones, of which none is square
        about = f"Pictures looked at are {height} high and {width} wide in the median"
    if odd:
        about += ", of different shapes: they are cropped in the middle (fit)"
        left = min(min(each * wide / tall, tall / wide / each) for each in shapes)
        if left < _HALF:
            about += f", which cuts up to {percent(1 - left, 0)} off a picture; fit: pad keeps all"
    color: Color = "rgb" if coloured else "grey"
    return Pictures(size=(tall, wide), color=color, fit="crop" if odd else "stretch"), about


def _sizes(contents: Iterable[bytes]) -> tuple[list[tuple[int, int]], bool]:
    """Return ((height, width) of each picture that can be read, whether one is in colour)."""
    sizes, coloured = [], False
    with decoding():
        for content in contents:
            with suppress(DataError):
                sizes.append(upright(content))
                pixels = decode(content, size=(16, 16), color="rgb").pixels
                coloured = coloured or bool((pixels != pixels[..., :1]).any())
    return sizes, coloured
