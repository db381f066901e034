"""Findings of one kind, said once.

Oracle: by hand. Cost: 1 s.

Run: pytest tests/report/test_grouped_findings.py
"""

from bakeoff.analysis.comparison import Finding
from bakeoff.report.grouped_findings import grouped


def test_eight_models_with_one_trouble_are_one_finding():
    same = [
        Finding("worse-than-baseline", "serious", f"m{k}", f"m{k} is worse.", "Use logistic.")
        for k in range(8)
    ]
    doubt = Finding("few-seeds", "warning", None, "Few seeds.", "Train more.")
    first, second = grouped([doubt, *same])
    assert first.text == ("8 models are worse than a baseline: m0, m1, m2, m3, m4, m5, m6 and m7.")
    assert first.advice == "Use logistic."
    assert first.each == tuple(f"m{k} is worse." for k in range(8))
    assert (second.text, second.advice, second.models) == ("Few seeds.", "Train more.", ())
