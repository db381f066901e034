"""A study received from somebody is looked at without harm: no code, no script, nothing outside.

Oracle: each case of tests/hostile/received.py ends well; what it prints has no control characters,
its report no script but its own, and nothing is written but derived files of the study.
Cost: 30 s. Run: pytest tests/robustness/test_received.py
"""

import json
import re
import shutil
import unicodedata
from pathlib import Path

import pytest

from bakeoff.storage import thumbnails
from tests.robustness.hostile import received, run, studies

CASES = received.cases()
TURNING = ("LRE", "LRO", "RLE", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
DERIVED = ("report.html", "comparison.json", "MODEL_CARD.md", "pictures.npz")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    base = tmp_path_factory.mktemp("received")
    return run.outcomes(CASES, base, "bakeoff.report.page.html_page", "vl_convert")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_looked_at_without_harm(case, outcomes):
    found = outcomes[case.name]
    place = Path(found["folder"])
    assert found["code"] == 0, found["err"]
    assert found["deeds"] == [deed for deed in found["deeds"] if is_its_business(deed)]
    assert not list(place.rglob(received.MARK))
    if (place / "outside").exists():
        assert (place / "outside").read_text() == received.PRECIOUS
    assert_plain(found["out"])
    assert_plain(found["err"])
    for name in ("report.html", "MODEL_CARD.md"):
        written = place / "s" / name
        if written.is_file():
            assert_harmless(written.read_text())
    assert case.name.rpartition(" ")[2] != "report" or (place / "s" / "report.html").is_file()


def assert_plain(text):
    """No colours, no other direction, no line breaks but our own: a terminal obeys them."""
    strange = {each for each in text if unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp")}
    strange |= {each for each in text if unicodedata.bidirectional(each) in TURNING}
    assert strange <= {"\n"}, text[:2000]


def assert_harmless(text):
    """No script but our own, no link that is one; a Markdown file has quotes outside of tags."""
    assert "<script>alert" not in text and not re.search(r"(?<!\\)\]\(javascript:", markdown(text))
    assert not re.search(r"<[^>]*[\"']\s*onmouseover=", text)
    assert str(7 * 7777) not in text and "root:x:" not in text


def markdown(text):
    return "" if text.startswith("<!DOCTYPE html>") else text


def is_its_business(deed):
    """Say whether a command may do this: write a derived file."""
    if deed == "'os.mkdir s'":  # asked of a folder that is there
        return True
    name = Path(deed.strip("'\"").split(" ")[-1])
    kind = deed.strip("'\"").rpartition(" ")[0]
    derived = any(each in name.name for each in DERIVED) and name.parent == Path("s")
    return derived and kind in ("open for writing", "os.rename", "os.remove")


@pytest.mark.parametrize("name", received.LYING_PICTURES)
def test_pictures_that_are_none_are_left_aside(name, tmp_path, monkeypatch):
    study = tmp_path / "s"
    shutil.copytree(studies.whole_study(), study)
    monkeypatch.chdir(tmp_path)
    received.LYING_PICTURES[name](study)
    data = json.loads((study / "study.json").read_bytes())["data"]
    known = {"test_hash": data["test_hash"], "n_test": 360, "n_classes": 10}
    assert thumbnails.read(study / "pictures.npz", **known) is None
    assert not list(tmp_path.rglob(received.MARK))
