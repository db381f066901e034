"""Tables that are left out are named, with what to do: those of other parts, in their folders.

What lies in the same folder: tests/data/formats/test_table.py. Oracle: whole notes. Cost: 1 s.
Run: pytest tests/data/formats/test_tables_beside.py
"""

import pytest
from PIL import Image

from bakeoff.data import FolderSource, TableSource, load
from bakeoff.errors import DataError


def write(root, name, parts):
    """Write pictures and a table of them into the folder of each part, as Roboflow does."""
    for part in parts:
        (root / part).mkdir(parents=True)
        lines = [f"{k}.png,{'cat' if k % 2 else 'dog'}" for k in range(4)]
        for k in range(4):
            Image.new("L", (4, 4), 40 * k).save(root / part / f"{k}.png")
        (root / part / name).write_text("\n".join(["file_name,label", *lines]), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "parts", "left"),
    [
        ("_classes.csv", ("train", "test", "valid"), "test/_classes.csv and valid/_classes.csv"),
        ("metadata.csv", ("train", "test"), "test/metadata.csv"),
        ("metadata.csv", ("train", "cats"), None),
        ("metadata.csv", ("birds", "test"), None),
    ],
)
def test_tables_in_the_folders_of_other_parts_are_named(tmp_path, name, parts, left):
    write(tmp_path, name, parts)
    data = load(TableSource(tmp_path / parts[0] / name, size=(4, 4)))
    wanted = f"left out {left}: to take all parts, list their images in one table beside train/, as"
    wanted += " train/1.png, with a column split (train, validation or test)"
    assert [note for note in data.notes if "left out" in note] == ([wanted] if left else [])
    assert len(data.labels) == 4


def test_such_a_table_of_all_parts_is_read(tmp_path):
    write(tmp_path, "metadata.csv", ("train", "test"))
    parts = [(part, k) for part in ("train", "test") for k in range(4)]
    lines = [f"{part}/{k}.png,{part},{k % 2}" for part, k in parts]
    (tmp_path / "all.csv").write_text("\n".join(["file,split,label", *lines]), encoding="utf-8")
    data = load(TableSource(tmp_path / "all.csv", size=(4, 4)))
    assert (len(data.labels), data.test_start) == (8, 4)
    assert "left out" not in " ".join(data.notes)


def test_folders_of_parts_with_tables_are_told_so(tmp_path):
    write(tmp_path, "metadata.csv", ("train", "test"))
    with pytest.raises(DataError) as caught:
        load(FolderSource(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}: expected a folder for each class in train/, which is beside test/, found the "
        "table metadata.csv in it: list the images of all parts in one table beside train/, as "
        "train/1.png, with a column split (train, validation or test), and write {table: …}; or "
        "name train/metadata.csv alone"
    )
