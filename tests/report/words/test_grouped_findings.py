"""Findings of one kind, said once.

Oracle: by hand, on a study of twelve models. Cost: 2 s.

Run: pytest tests/report/words/test_grouped_findings.py
"""

from dataclasses import replace

import pytest

from bakeoff import report
from bakeoff.analysis.compare import compare
from bakeoff.analysis.comparison import Finding
from bakeoff.report.words.grouped_findings import grouped
from tests.helpers.fake_study import FakeModel, write_study
from tests.helpers.pages import parse

WORSE = [f"m{k}" for k in range(8)]
OVER_FIT = "over-fit: the validation loss rises while training goes on"


@pytest.fixture(scope="module")
def twelve(tmp_path_factory):
    """Eight models worse than logistic regression, four that are better than it."""
    models = {name: FakeModel(0.55, epochs=3) for name in WORSE}
    models |= {f"good-{k}": FakeModel(0.9, epochs=3) for k in range(4)}
    folder = tmp_path_factory.mktemp("twelve") / "study"
    return compare([write_study(folder, models, seeds=(0, 1, 2), n_test=400)])


def test_eight_models_with_one_trouble_are_one_finding(twelve):
    (worse,) = [group for group in grouped(twelve) if group.code == "worse-than-baseline"]
    said = "8 models are worse than logistic regression: m0, m1, m2, m3, m4, m5, m6 and m7."
    assert worse.text == said
    assert (
        worse.advice
        == "Use logistic regression, or find out why a network of 10,000 parameters fails."
    )
    assert len(worse.each) == 8
    assert worse.each[0].startswith(
        "m0 is worse than the baseline logistic regression: 55.0 % against 60.0 %"
    )


@pytest.mark.usefixtures("figures_undrawn")
def test_the_page_says_it_once_and_has_every_model(twelve):
    parsed = parse(report.html(twelve))
    assert parsed.body.count("are worse than logistic regression") == 1
    assert "The worst mistakes of the 11 other models" in parsed.words("summary")
    heads = parsed.words("th")  # of numbers, costs, and classes
    for model in twelve.models:
        assert sum(head.startswith(model.name) for head in heads) == 3


def test_all_models_are_not_listed_and_others_keep_their_place(twelve):
    doubt = Finding("few-seeds", "warning", None, "Few seeds.", "Train more.")
    fits = tuple(
        Finding(
            "over-fitting", "warning", each.name, f"{each.name} over-fits.", f"Stop {each.name}."
        )
        for each in twelve.models
    )
    first, second = grouped(replace(twelve, findings=(doubt, *fits)))
    assert (first.text, first.advice, first.models) == ("Few seeds.", "Train more.", ())
    assert second.text == f"All 12 models {OVER_FIT}."
    assert second.advice == ""  # each has its own
    assert second.each[0] == f"{fits[0].text} {fits[0].advice}"
    pair = replace(twelve, models=twelve.models[:2], findings=fits[:2])
    assert grouped(pair)[0].text == f"Both models {OVER_FIT}."
    level = [Finding("worse-than-baseline", "warning", f.model, "Level.", "") for f in fits]
    few = replace(twelve, models=twelve.models[-3:], findings=tuple(level[-3:]))
    said = "None of the 3 models is shown to be better than logistic regression."
    assert grouped(few)[0].text == said
