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


def test_where_time_counts_the_model_card_has_it(timed, study):
    assert "\n- Prediction time: 0.05 ms an image, in a batch\n" in report.model_card(timed)
    assert "Prediction time" not in report.model_card(study).split("## Data")[0]
