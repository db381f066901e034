"""Draw a folder of letters to practise with: python draw_letters.py FOLDER.

One sub-folder a style of Liberation Sans: regular, bold, italic, bold italic. In each stand the
digits and the letters of the Latin, Greek and Cyrillic alphabets; of those that look alike, one.
The typeface comes with vl-convert, which draws Bakeoff's figures; its licence, the SIL Open Font
License 1.1, leaves what is drawn with it free for any use.
"""

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import vl_convert
from PIL import Image

SIDE = 24  # pixels
ALIKE = 4  # the mean difference of pixels, of 255, below which two letters look alike
STYLES = {
    "regular": "",
    "bold": 'font-weight="bold"',
    "italic": 'font-style="italic"',
    "bold italic": 'font-weight="bold" font-style="italic"',
}
SMALL = (
    "abcdefghijklmnopqrstuvwxyzæøðþαβγδεζηθικλμνξοπρστυφχψωабвгдежзийклмнопрстуфхцчшщъыьэюяђєљњћџ"
)
LETTERS = "0123456789" + SMALL + SMALL.upper()


def draw(style: str) -> list[Image.Image]:
    """Return the letters in a style, white on black."""
    texts = "".join(
        f'<text x="{SIDE * place + SIDE / 2}" y="{0.7 * SIDE}">{letter}</text>'
        for place, letter in enumerate(LETTERS)
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIDE * len(LETTERS)}" height="{SIDE}">'
        '<rect width="100%" height="100%"/><g font-family="Liberation Sans" fill="white" '
        f'font-size="{0.7 * SIDE}" text-anchor="middle" {STYLES[style]}>{texts}</g></svg>'
    )
    row = Image.open(BytesIO(vl_convert.svg_to_png(svg))).convert("L")
    kept: list[np.ndarray] = []
    for letter in np.split(np.asarray(row, float), len(LETTERS), axis=1):
        if all(np.abs(letter - other).mean() >= ALIKE for other in kept):
            kept.append(letter)
    return [Image.fromarray(letter.astype(np.uint8)) for letter in kept]


def main(folder: str) -> None:
    """Write every picture as a PNG file, FOLDER/STYLE/NUMBER.png."""
    for style in STYLES:
        place = Path(folder, style)
        place.mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(draw(style)):
            picture.save(place / f"{number:03}.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
