"""A recipe becomes a study's folder.

Oracle: what lay there before. Cost: 2 s.

Run: pytest tests/study/create/test_prepare.py
"""

import re

import pytest

from bakeoff.errors import StudyError
from bakeoff.study.tuning.tune import tune
from tests.helpers.small import carry_out, declare


def test_a_machine_that_cannot_train_is_named_before_any_writing(npz, tmp_path, monkeypatch):
    """A Linux without /proc."""
    monkeypatch.setattr("bakeoff.study.run.lacks", lambda: "expected this, found that: do so")
    with pytest.raises(StudyError, match=r"^expected this, found that: do so$"):
        carry_out(npz, tmp_path / "study")
    with pytest.raises(StudyError, match=r"^expected this, found that: do so$"):
        tune(declare(npz), out=tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_a_folder_of_something_else_is_left_alone(npz, tmp_path):
    (tmp_path / "thesis.tex").write_text("chapter 1")
    text = (
        f"{tmp_path}: expected a study or an empty folder, found thesis.tex in it and no "
        "study.json: choose another --out"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        carry_out(npz, tmp_path)
    file = tmp_path / "thesis.tex"
    text = f"{file}: expected a folder, found a file: choose another --out"
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        carry_out(npz, file)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
