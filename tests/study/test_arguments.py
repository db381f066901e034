"""What callers in Python may give: each wrong kind is one line, from `run`, `compare` and others.

Oracle: whole messages. Cost: 0.1 s. Run: pytest tests/study/test_arguments.py
"""

import re
from pathlib import Path

import numpy as np
import pytest

import bakeoff
from bakeoff import recipe as recipes
from bakeoff.errors import BakeoffError
from bakeoff.report.plots.figure import Figure
from bakeoff.study import arguments
from bakeoff.study.winner.picture_files import picture_files

STUDY = bakeoff.Study("mine", data="digits", models={"line": {"layers": []}})
WRONG = [
    ({"seeds": "3"}, "seeds: expected a whole number, found '3'"),
    ({"seeds": 2.5}, "seeds: expected a whole number, found 2.5"),
    ({"seeds": [0, 1]}, "seeds: expected a whole number, found [0, 1]"),
    ({"seeds": np.array([1, 2])}, "seeds: expected a whole number, found array([1, 2])"),
    ({"device": np.array([1, 2])}, "device: expected cpu or gpu, found array([1, 2])"),
    ({"out": "a\0b"}, "out: expected a path, found 'a\\x00b'"),
    (
        {"out": "a" * 300},
        "out: expected names of at most 255 bytes, found one of 300: choose a shorter one",
    ),
    ({"workers": True}, "workers: expected a whole number, found True"),
    ({"only": 3}, "only: expected a list of names, found 3"),
    ({"only": "lin"}, "--only: expected a model of the recipe (line), found 'lin'"),
    ({"open_without": [0]}, "open_without: expected a list of names, found [0]"),
    ({"device": "tpu"}, "device: expected cpu or gpu, found 'tpu'"),
    ({"keep_sealed": "no"}, "keep_sealed: expected True or False, found 'no'"),
    ({"out": 3}, "out: expected a path, found 3"),
    ({"out": ""}, "out: expected a path, found ''"),
    ({"on": 3}, "--on: expected ray or ray://HOST:PORT, found 3"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_a_run_refuses_before_it_begins(given, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BakeoffError, match=f"^{re.escape(message)}$"):
        STUDY.run(**given)
    assert list(tmp_path.iterdir()) == []


def test_folders_and_recipes_of_another_kind():
    with pytest.raises(BakeoffError, match=r"^compare: expected a path, found \['a', 'b'\]$"):
        bakeoff.compare(["a", "b"])
    message = (
        "recipe: expected a recipe's file or the name of a shipped recipe, found dict: "
        "bakeoff.Study(…) takes a recipe's words in Python"
    )
    with pytest.raises(BakeoffError, match=f"^{re.escape(message)}$"):
        bakeoff.run({"name": "mine"})
    with pytest.raises(BakeoffError, match=r"found NoneType: "):
        recipes.load(None)


def test_what_is_taken():
    assert arguments.whole(np.int64(3), "seeds") == 3
    assert arguments.names("line", "only") == ("line",)  # not its letters
    assert arguments.names(["a", "b"], "only") == ("a", "b")
    assert [arguments.a_device(each) for each in (None, "cpu", "gpu")] == [None, "cpu", "gpu"]


def test_a_tilde_is_the_home_folder_in_python_too(tmp_path, monkeypatch):
    """A study lay in a folder called "~", and the report's path that was printed led elsewhere."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert arguments.a_path("~/studies/a", "out") == tmp_path / "studies" / "a"
    assert arguments.a_path(Path("~/studies/a"), "out") == tmp_path / "studies" / "a"
    assert arguments.a_path("./~studies", "out") == Path("~studies")
    Figure({}, "").save("~/a.json")
    assert (tmp_path / "a.json").is_file()
    assert picture_files(["~/a.json"]) == [tmp_path / "a.json"]
    (tmp_path / "a.yaml").write_text("name: a\ndata: digits\nmodels: {line: {layers: []}}\n")
    assert recipes.load("~/a.yaml").name == "a"
