"""How a study was done, with its own numbers.

Oracle: the study's numbers. Cost: 3 s.

Run: pytest tests/report/test_protocol_steps.py
"""

from bakeoff.report.protocol_steps import protocol


def test_the_protocol_carries_this_studys_numbers(study):
    steps = {step.name: step.text for step in protocol(study)}
    assert list(steps) == ["Split", "Train", "Select", "Open", "Compare", "Recommend", "Baselines"]
    assert steps["Split"].startswith(
        "4,000 images of digits for training, 1,000 for validation, 4,000 for testing (10 classes"
    )
    assert "3 models with 3 seeds (seeds 0–2): 9 trials." in steps["Train"]
    assert "lowest validation loss" in steps["Select"]
    assert "opened once" in steps["Open"]
    assert "over the 3 pairs" in steps["Compare"]
    assert "±0.20 points" in steps["Compare"]
    assert "less than 1.00 points" in steps["Recommend"]
