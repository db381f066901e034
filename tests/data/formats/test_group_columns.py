"""Columns by which pictures belong together; the oracle is what is written here. 1 s.

Run: pytest tests/data/formats/test_group_columns.py
"""

import pytest

from bakeoff.data import TableSource, load
from bakeoff.data.formats.group_columns import notes_on_groups

LABELS = ["ill", "well"] * 3
DRAWN = (
    "patient_id seems to say which pictures belong together; a split that is drawn does not keep "
    "them together, so that tests may be too easy: put all pictures of one patient_id into one "
    "part, by a column split (train, val, test)"
)


def notes(name, cells, parts=None):
    return notes_on_groups(["file", name], [["f", cell] for cell in cells], LABELS, parts)


def test_a_table_with_patients_is_remarked(images):
    cells = zip(range(6), LABELS, "aabbcc", strict=True)
    lines = ["file,label,patient_id", *(f"a{n}.png,{label},{who}" for n, label, who in cells)]
    (images / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    data = load(TableSource(images / "labels.csv", size=(4, 4)))
    assert data.notes[1] == DRAWN


@pytest.mark.parametrize(
    "name",
    [
        "patient_id",
        "PatientID",
        "Subject",
        "plant no.",
        "video name",
        "lesion_id",
        "seq_id",
        "user_id",
    ],
)
def test_what_such_columns_are_called(name):
    assert notes(name, "aabbcc") == (DRAWN.replace("patient_id", name),)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("patient", "abcdef"),  # one picture each
        ("patient", ["a", "b", "c", "", "", ""]),  # not known of the others
        ("group", "aaabbb"),  # no more than classes: may be another label
        ("patient", ["a", "b", "c", "nan", "nan", "d"]),  # nor here, as frames say it
        ("plant", "aabbcc"),  # tomato, potato, pepper
        ("age", "aabbcc"),
        ("category", "aabbcc"),
    ],
)
def test_others_are_not_remarked(name, cells):
    assert notes(name, cells) == ()


def test_of_several_columns_one_is_named():
    columns = ["scan", "file", "patient_id", "patient_name"]
    rows = [[cell, "f", cell, cell] for cell in "aabbcc"]
    assert notes_on_groups(columns, rows, LABELS, None) == (DRAWN,)


def test_parts_of_the_users_own():
    assert notes("patient", ["a", "?", "b", "?", "c", "c"], ["train"] * 3 + ["test"] * 3) == ()
    assert notes("patient", "aabbcc", ["train"] * 4 + ["test"] * 2) == ()
    assert notes("patient", "aabbcc", ["train"] * 3 + ["test"] * 3) == (
        "1 cell of patient in more than one part, such as b: where these pictures belong together, "
        "tests may be too easy: put all pictures of one patient into one part",
    )
