"""Result: every view of a comparison from a script, and what it writes into the study's folder.

Oracle: the views' own functions, which have tests of their own. Cost: 4 s.
Run: .venv/bin/pytest tests/study/test_result.py
"""

import errno
import json
import os
import re
from dataclasses import replace
from io import StringIO
from types import SimpleNamespace

import pytest
from rich.console import Console

from bakeoff import report
from bakeoff.errors import BakeoffError, StorageError, StudyError, UsageError
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.compare import compare
from bakeoff.study.result import Result
from tests.helpers.disks import failing
from tests.helpers.fake_study import FakeModel, write_study

ONE_MODEL = (
    *("learning_curves", "learning_rate", "confusion", "per_class", "calibration", "roc"),
    "precision_recall",
)
ALL_MODELS = (*("accuracy", "verdicts", "parameters", "time", "variance", "all_curves", "classes"),)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = write_study(
        tmp_path_factory.mktemp("result") / "study",
        {"big": FakeModel(0.9, parameters=9_000), "small": FakeModel(0.85, parameters=700)},
    )
    return compare([folder])


def texts(figure):
    return set(re.findall(r"<text[^>]*>([^<]*)</text>", figure.element()))


def test_every_view_is_the_reports(result):
    comparison = result.comparison
    assert result.markdown() == report.markdown(comparison)
    assert result.csv() == report.csv(comparison)
    assert result.latex() == report.latex(comparison)
    assert result.model_card() == report.model_card(comparison, "big")
    assert result.model_card("small").startswith("# small\n")
    shown = result._repr_html_()
    assert shown is not None and shown.startswith(report.fragment(comparison) + "<svg")
    out = StringIO()
    Console(file=out, width=80).print(result.table())
    assert "→ big" in out.getvalue()
    assert result.to_frame().loc["small", "parameters"] == 700
    assert [pair.a for pair in result.verdicts] == ["big"]
    assert result.recommended == "big"


def test_what_a_notebook_s_cell_shows_of_a_part_of_a_result_is_one_line(result):
    """They were their dataclasses whole: 45,000 characters of arrays for the comparison."""
    comparison, finding = result.comparison, result.findings[0]
    assert repr(comparison) == "<Comparison of fake: 2 models, 1 pair, 1 finding>"
    assert repr(result.table()) == "<TableView of fake: rich.print shows it>"
    assert repr(result.folder) == f"<StudyFolder {result.folder.path}>"
    assert repr(result.verdicts[0]).startswith("<Pair big, small: better, +")
    assert repr(comparison.models[0]).startswith("<ModelResult big: accuracy ")
    assert repr(comparison.baselines[0]).startswith("<BaselineResult ")
    assert repr(finding) == f"<Finding {finding.code}, {finding.severity}: {finding.text}>"


def test_a_sealed_result_shows_itself_once_in_a_notebook(tmp_path, monkeypatch):
    """Each line of its status was shown before it, by a console that knew it was in a notebook."""
    folder = write_study(tmp_path / "study", {"small": FakeModel(0.85)}, opened=False)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("rich.jupyter.display", lambda *_: pytest.fail("shown by rich"))
    assert "The test set is sealed." in Result(folder, None)._repr_html_()


@pytest.mark.parametrize("name", ONE_MODEL)
def test_figures_of_one_model(result, name):
    plot = getattr(result, f"plot_{name}")
    assert "big" in plot().alt and "small" in plot("small").alt
    assert plot().svg().startswith("<svg")


@pytest.mark.parametrize("name", ALL_MODELS)
def test_figures_of_all_models(result, name):
    assert getattr(result, f"plot_{name}")().svg().startswith("<svg")


@pytest.mark.parametrize("wrong", [[], "", 3, {"cnn"}])
def test_what_is_no_model_s_name_is_not_taken_for_the_recommended_one(result, wrong):
    for view in (result.plot_calibration, result.plot_confusion, result.model_card):
        with pytest.raises(BakeoffError, match=r"expected a .*model.*found"):
            view(wrong)


def test_a_confusion_matrix_as_counts_or_rates_with_or_without_its_diagonal(result):
    counts = result.comparison.model("big").confusion
    share = 100 * counts[0, 0] / counts[0].sum()
    assert f"{counts[0, 0]:.0f}" in texts(result.plot_confusion())
    assert f"{share:.1f}" in texts(result.plot_confusion(rates=True))
    assert f"{counts[0, 0]:.0f}" not in texts(result.plot_confusion(diagonal=False))


def test_what_is_written_is_derived_and_can_be_written_again(result):
    result.write()
    folder = result.folder
    assert json.loads(folder.comparison_file.read_text()) == result.to_json()
    assert folder.report_file.read_text() == report.html(result.comparison)
    assert folder.card_file.read_text() == result.model_card()
    before = {file: file.read_bytes() for file in folder.path.iterdir() if file.is_file()}
    result.write()
    assert before == {file: file.read_bytes() for file in folder.path.iterdir() if file.is_file()}


def test_of_several_studies_each_model_is_taken_from_its_own(tmp_path, monkeypatch):
    """The first study's model of that name predicted, or there was "no such model"."""
    one = write_study(tmp_path / "1", {"a": FakeModel(0.6), "b": FakeModel(0.5)}, name="one")
    two = write_study(tmp_path / "2", {"a": FakeModel(0.9), "c": FakeModel(0.5)}, name="two")
    both, taken = compare([one, two]), []
    monkeypatch.setattr(
        "bakeoff.study.winner.trained_model.trained_model",
        lambda folder, *, model, recommended, **_: taken.append((folder.path, model, recommended)),
    )
    for name in (None, "one/a", "c"):
        both.trained(name)
    assert both.recommended == "two/a"
    assert taken == [(two.path, None, "a"), (one.path, "a", None), (two.path, "c", None)]
    with pytest.raises(UsageError, match=r"^expected a model of this comparison .* found a$"):
        both.trained("a")
    again = write_study(tmp_path / "3", {"a": FakeModel(0.5)}, name="two")  # called by its place
    compare([two, again]).trained(f"{again.path}/a")
    assert taken[-1] == (again.path, "a", None)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_report_that_cannot_be_written_beside_its_study(tmp_path, monkeypatch, code):
    """There is no option for another place: a copy of the folder is one."""
    result = compare([write_study(tmp_path / "s", {"a": FakeModel(0.6)})])
    monkeypatch.setattr(os, "replace", failing(os.replace, 0, code))
    full = (
        "comparison.json: no space left on device: free some space and run the same command again"
    )
    said = "the report is written beside the study, so copy this folder to where you may write"
    advice = full if code == errno.ENOSPC else f"s: {os.strerror(code).lower()}: {said}"
    with pytest.raises(StorageError, match=re.escape(advice)):
        result.write()


def test_a_study_s_own_files_are_not_replaced_by_another_table(tmp_path):
    """One of several studies was written into the first; an old one hid that it was exploratory."""
    one = write_study(tmp_path / "1", {"a": FakeModel(0.6)}, name="one")
    two = write_study(tmp_path / "2", {"b": FakeModel(0.9)}, name="two")
    alone, both = compare([one]), compare([one, two])
    alone.write()
    before = one.comparison_file.read_bytes()
    assert "Report: " in repr(alone) and "Report: " not in repr(both)
    with pytest.raises(StudyError, match="as it is now, found one of several: "):
        both.write()
    old = replace(alone, folder=SimpleNamespace(path=one.path, times_opened=lambda: 2))
    with pytest.raises(StudyError, match="found one made before it was opened again: "):
        old.write()
    assert one.comparison_file.read_bytes() == before


@pytest.mark.parametrize(
    ("openings", "why"),
    [
        (
            0,
            "it sealed: run the study without only= and keep_sealed=True",
        ),
        (
            1,
            "a run that opened nothing, of a study that was opened before: "
            "bakeoff.compare compares what was opened",
        ),
    ],
)
def test_a_run_that_opened_nothing_has_no_views(openings, why, result, tmp_path):
    """It said that a test set was sealed which an earlier run had opened."""
    folder = result.folder
    if not openings:
        folder = write_study(tmp_path / "study", {"small": FakeModel(0.85)}, opened=False)
    closed = Result(StudyFolder(folder.path), None)
    assert closed.sealed == (not openings)
    shown = closed._repr_html_()
    assert ("The test set is sealed." in shown) == (not openings)
    assert shown.startswith("<pre ") and "small" in shown
    gone = Result(StudyFolder(tmp_path / "gone"), None)._repr_html_()
    assert gone.startswith("<pre ") and "expected a study" in gone  # a notebook shows no traceback
    with pytest.raises(StudyError) as raised:
        closed.markdown()
    assert str(raised.value) == f"{folder.path}: expected an opened test set, found {why}"
