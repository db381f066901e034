"""What systems and tools leave in folders."""

import pytest

from bakeoff.utils.clutter import is_clutter


@pytest.mark.parametrize(
    "name",
    [
        *(".DS_Store", "._a.csv", "Thumbs.db", "Desktop.ini", "Icon\r", "@eaDir"),
        *(".ipynb_checkpoints", ".nfs00000000012a4c8d00000001", "digits.npz:Zone.Identifier"),
    ],
)
def test_what_a_system_leaves_is_told_by_its_name(name):
    assert is_clutter(name)


@pytest.mark.parametrize("name", ["trial.json", ".hidden", "trial (conflicted copy).json", "icon"])
def test_what_people_write_is_not(name):
    assert not is_clutter(name)
