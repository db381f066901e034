"""Where the user's files lie, and what is deleted of them.

Oracle: files written here. Cost: nothing. Run: pytest tests/utils/test_places.py
"""

import os
from pathlib import Path

import pytest

from bakeoff.utils import places
from bakeoff.utils.places import from_here, prune, to_install, user_cache


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    def unknown(name):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("platformdirs.user_cache_path", unknown)
    assert user_cache() is None
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: Path("relative"))
    assert user_cache() is None
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: Path("/cache") / name)
    assert user_cache() == Path("/cache/bakeoff")


def test_a_path_is_shown_as_one_would_type_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert from_here(tmp_path / "studies" / "x") == "studies/x"
    assert from_here(tmp_path.parent) == str(tmp_path.parent)


def test_what_was_unused_for_longest_goes_first(tmp_path):
    """U9: nothing pruned the compiled programs in the cache."""
    for age, name in enumerate(("new", "middle", "old")):
        (tmp_path / name).write_bytes(b"x" * 10)
        os.utime(tmp_path / name, (1e9 - age, 1e9 - age))
    os.utime(tmp_path / "old", (2e9, 1e9 - 9))  # read since: not old any more
    (tmp_path / "folder").mkdir()
    prune(tmp_path, most=30)
    assert len(os.listdir(tmp_path)) == 4
    prune(tmp_path, most=25)
    assert sorted(os.listdir(tmp_path)) == ["folder", "new", "old"]
    prune(tmp_path, most=0)
    assert os.listdir(tmp_path) == ["folder"]
    prune(tmp_path / "absent", most=0)


def test_a_file_that_cannot_be_deleted_is_left(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"x")

    def refuse(self):
        raise PermissionError

    monkeypatch.setattr(places.Path, "unlink", refuse)
    prune(tmp_path, most=0)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("/home/ada/project/.venv", "pip install 'bakeoff[serve]'"),
        ("/home/ada/.local/share/pipx/venvs/bakeoff", "pipx install --force 'bakeoff[serve]'"),
        ("/home/ada/.local/share/uv/tools/bakeoff", "uv tool install 'bakeoff[serve]'"),
    ],
)
def test_an_extra_is_installed_where_bakeoff_is(prefix, command, monkeypatch):
    monkeypatch.setattr(places.sys, "prefix", prefix)
    assert to_install("serve") == command
