"""Where the user's files lie, and what is deleted of them.

Oracle: files written here. Cost: nothing. Run: pytest tests/utils/test_user_paths.py
"""

import os
from pathlib import Path

import pytest

from bakeoff.errors import DataError
from bakeoff.utils import user_paths
from bakeoff.utils.user_paths import (
    from_here,
    named_folder,
    program_cache,
    prune,
    require_utf8_names,
    seen_from,
    to_install,
    user_cache,
)


def test_a_home_in_a_variable_is_the_users(monkeypatch):
    """A notebook's or a Dockerfile's "~/bakeoff" made a folder called ~ wherever one ran."""
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("BAKEOFF_HOME", "~/bakeoff")
    assert named_folder("BAKEOFF_HOME") == Path("/home/ada/bakeoff")
    monkeypatch.setenv("BAKEOFF_HOME", "")
    assert named_folder("BAKEOFF_HOME") is None


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


@pytest.mark.parametrize(
    ("folder", "path", "found"),
    [
        ("/home/ann/work/studies/x", "/home/ann/work/photos", "../../photos"),
        ("/home/ann/work/studies/x", "/home/ann/work/studies/x/data", "data"),
        ("/home/ann/studies/x", "/mnt/photos", "../../../../mnt/photos"),
        ("/home/ann/studies/x", "/home/bob/photos", "../../../bob/photos"),
        ("/scratch/x", "/home/ann/photos/leaves", "~/photos/leaves"),  # and not ../../home/ann
        ("/scratch/x", "/scratch/x/~photos", "./~photos"),
    ],
)
def test_a_path_is_written_as_seen_from_where_it_is_written(monkeypatch, folder, path, found):
    monkeypatch.setenv("HOME", "/home/ann")
    assert seen_from(Path(folder), Path(path)) == found
    again = os.path.expanduser(found)
    assert os.path.abspath(os.path.join(folder, again)) == path


@pytest.mark.parametrize("home", ["/", "nowhere"])
def test_a_home_that_is_none_is_not_named(monkeypatch, home):
    monkeypatch.setenv("HOME", home)
    assert seen_from(Path("/scratch/x"), Path("/data/photos")) == "../../data/photos"


def test_links_on_the_way_are_followed_where_that_is_shorter(tmp_path):
    """Else a project would not move as one: it is reached by a link, its studies are not."""
    tmp_path = tmp_path.resolve()
    (tmp_path / "disk" / "project" / "photos").mkdir(parents=True)
    (tmp_path / "here").symlink_to(tmp_path / "disk")
    folder = tmp_path / "disk" / "project" / "studies" / "x"
    assert seen_from(folder, tmp_path / "here" / "project" / "photos") == "../../photos"
    (tmp_path / "disk" / "project" / "now").symlink_to("photos")
    assert seen_from(folder, tmp_path / "here" / "project" / "now") == "../../now"


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


def test_compiled_programs_are_looked_through_once_a_process(tmp_path, monkeypatch):
    pruned = []
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    monkeypatch.setattr(user_paths, "prune", lambda folder, most: pruned.append(folder))
    for _ in range(2):
        assert program_cache() == tmp_path / "bakeoff" / "programs"
    assert pruned == [tmp_path / "bakeoff" / "programs"]


def test_a_file_that_cannot_be_deleted_is_left(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"x")

    def refuse(path):
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", refuse)
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
    monkeypatch.setattr(user_paths.sys, "prefix", prefix)
    assert to_install("serve") == command


def test_python_in_another_locale_is_told_to_read_utf8(monkeypatch):
    require_utf8_names(["été"])
    monkeypatch.setattr("sys.getfilesystemencoding", lambda: "iso8859-1")
    require_utf8_names(["hiver"])
    with pytest.raises(DataError) as caught:
        require_utf8_names(["hiver", "été"])
    assert str(caught.value) == (
        "été: expected Python to read names of files as UTF-8, found iso8859-1 in this locale: set "
        "PYTHONUTF8=1 before Python starts"
    )
