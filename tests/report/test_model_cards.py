"""MODEL_CARD.md.

Oracle: the comparison. Cost: 3 s.

Run: pytest tests/report/test_model_cards.py
"""

import re
from dataclasses import replace

import pytest

from bakeoff import report
from bakeoff.errors import UsageError


def test_the_model_card_describes_the_recommended_model(study, single):
    card = report.model_card(study)
    assert card.startswith("# tiny\n")
    for heading in ("Model", "Why this model", "Data", "Scores", "Known confusions", "Limits"):
        assert f"\n## {heading}\n" in card
    assert "Shirt for T-shirt/top" in card
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in card
    assert "<script>" not in card
    accuracy = study.model("tiny").accuracy.estimate
    assert f"{100 * accuracy.low:.2f}–{100 * accuracy.high:.2f} %" in card
    assert "It is not the recommended model; that is tiny." in report.model_card(study, "mlp")
    assert "Exploratory" in report.model_card(single)
    message = "expected a model to describe, found none: train one first"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        report.model_card(replace(study, recommended=None))


def test_where_none_is_recommended_no_card_names_a_recommended_model(study):
    headline = replace(study.headline, case="cannot say", model=None)
    for name in ("cnn", "tiny"):
        card = report.model_card(replace(study, headline=headline), name)
        assert "recommended model" not in card
        assert study.headline.before in card


def test_where_time_counts_the_model_card_has_it(timed, study):
    assert "\n- Prediction time: 0.05 ms an image, in a batch\n" in report.model_card(timed)
    assert "Prediction time" not in report.model_card(study).split("## Data")[0]


def test_the_card_of_a_cross_validated_study_tells_its_data_apart(study):
    """Its parts are those of one fold: together more images than there are."""
    data = {**study.data, "name": "leaves", "train": 128, "validation": 32, "folds": 5}
    card = report.model_card(replace(study, data=data))
    basis = "4,000 images, each tested by networks that had not seen it, 3 repeats of 5 folds"
    assert (
        f"- leaves: {basis}; a fold's network was trained on about 128 and validated on 32, the "
        "shipped one trained on all\n"
    ) in card
    assert f"Means with 95 % intervals; {basis}.\n" in card
    assert "for testing" not in card
    without = report.model_card(replace(study, data={**data, "validation": 0}))
    assert "a fold's network was trained on about 128, the shipped one trained on all\n" in without
    assert re.search(
        r"- The scores are those of the folds' networks, \d\d\.\d\d % to \d\d\.\d\d % in the "
        r"single repeats; the shipped one was not tested: no image is left that it has not "
        r"seen\.\n",
        card,
    )
