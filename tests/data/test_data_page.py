"""docs/data.md says the limits and names that the code has; 1 s.

Run: pytest tests/data/test_data_page.py
"""

from pathlib import Path

import pytest

from bakeoff.data import NAMES, duplicates, published
from bakeoff.data.formats import npz
from bakeoff.data.image_files import image_container, image_file

TEXT = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "said",
    [
        *(f"`data: {name}`" for name in NAMES),
        *(f"`{stem}`" for stem in published.FILES.values()),
        f"{image_file.LARGE:,} pixels",
        *(kind.upper() for kind in ("png", "jpeg", "gif", "bmp", "tiff", "pnm", "avif")),
        f"{image_file.MAX_PIXELS:,} pixels or {image_file.MAX_BYTES:,} bytes",
        f"{image_container._MAX_PIECES:,} pieces or {image_container._MAX_SCANS} scans",
        f"{npz._FREE >> 20} MiB that were packed more than {npz._RATIO}-fold",
        f"at most {duplicates.NEAR:.0%}".replace("%", " %"),
        f"the {duplicates.CANDIDATES} closest",
    ],
)
def test_is_said(said):
    assert said in TEXT
