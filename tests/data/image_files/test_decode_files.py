"""Many image files to one array: what cannot be read is left out and named.

Oracle: pictures of one grey, written here. Cost: 1 s.

Run: pytest tests/data/image_files/test_decode_files.py
"""

import os
import re
import struct

import pytest

from bakeoff.errors import DataError
from tests.helpers.folders import grey, read, refusal, save, values


def test_what_is_left_out_is_noted(root, tmp_path):
    good = (root / "cat" / "1.png").read_bytes()
    (root / "cat" / "3.png").write_bytes(good[:-30])
    (root / "cat" / "4.jpg").write_bytes(b"GIF89a")
    (root / "cat" / "5.png").write_bytes(b"")
    (root / "dog" / "notes.txt").write_text("x")
    (root / "dog" / "deeper").mkdir()
    (root / "dog" / ".hidden.png").write_bytes(b"")
    (root / "dog" / "Thumbs.db").write_bytes(b"")
    (root / "__MACOSX").mkdir()
    (root / ".git").mkdir()
    save(tmp_path / "outside.png", grey(99))
    (root / "cat" / "6.png").symlink_to(tmp_path / "outside.png")
    (root / "cat" / "7.png").symlink_to("nowhere")
    (root / "cat" / "8.png").symlink_to("1.png")
    (root / "loop").symlink_to(root)
    data = read(root)
    assert data.class_names == ("cat", "dog")
    assert values(data) == [10, 15, 10, 20, 30]
    assert data.notes == (
        "skipped 3 broken files: cat/3.png (cut short), cat/4.jpg "
        "(a broken GIF), cat/5.png (not an image that can be read here)",
        "ignored 1 file that no image can be read from here: dog/notes.txt",
        "read 1 folder inside class folders too: dog/deeper",
        "did not follow 3 links out of this folder, to nowhere or back: loop, cat/6.png, cat/7.png",
    )


def test_pipes_are_not_waited_for(root):
    os.mkfifo(root / "cat" / "pipe.png")
    assert read(root).notes == (
        "skipped 1 broken file: cat/pipe.png (expected a file, found a folder, a pipe or a device)",
    )


def test_long_lists_are_cut(root):
    for number in range(7):
        (root / "cat" / f"x{number}.png").write_bytes(b"")
    (note,) = read(root).notes
    assert note.startswith(
        "skipped 7 broken files: cat/x0.png (not an image that can be read here), "
    )
    assert note.endswith("cat/x4.png (not an image that can be read here), …")


def test_a_class_without_a_readable_image(root):
    (root / "dog" / "1.png").write_bytes(b"")
    assert refusal(root) == (
        "class dog: expected at least one readable image, found none but dog/1.png (not an image "
        "that can be read here): add images, or remove the folder"
    )
    (root / "dog" / "1.png").unlink()
    assert refusal(root) == (
        "class dog: expected at least one readable image, found none: add images, or remove the "
        "folder"
    )


@pytest.mark.parametrize("size", [(0, 4), (4, 5000), (4,), (4.0, 4)])
def test_sizes(root, size):
    message = f"size: expected [height, width] from 1 to 4,096, found {list(size)}"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read(root, size=size)


def test_colors(root):
    with pytest.raises(DataError, match=r"^color: expected grey or rgb, found 'blue'$"):
        read(root, color="blue")


def test_16_bits_for_all_three_colours_are_no_16_bits_for_each(root):
    """Bitmaps of small cameras, 5-6-5: dark ones were refused as 16 bits in colour."""
    bitmap = struct.pack("<2sIIIIiiHHIIiiII", b"BM", 98, 0, 66, 40, 4, 4, 1, 16, 3, 32, 0, 0, 0, 0)
    bitmap += struct.pack("<III", 0xF800, 0x7E0, 0x1F) + struct.pack("<H", 4 << 5) * 16
    for place in root.glob("*/*.png"):
        place.write_bytes(bitmap)
    assert read(root, color="rgb").images[0, 0, 0].tolist() == [0, 16, 0]
