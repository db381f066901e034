"""What the page says about one model; longer for the model whose mistakes it shows elsewhere.

Oracle: the comparison's own numbers. Cost: 3 s. Run: pytest tests/report/page/test_model_section.py
"""

import re
from dataclasses import replace

from bakeoff.report.page.model_section import anchor, matrices, model_part


def test_the_facts_of_a_model(study):
    part = model_part(study, 0, full=False)
    result = study.models[0]
    assert part.result is result
    assert part.anchor == anchor(0) == "model-1"
    assert re.fullmatch(
        r"the averaged predictions of its 3 seeds are correct on \d\d\.\d\d % of the test images",
        part.facts,  # what the tables above have is not said again
    )
    partly = replace(study, models=(replace(result, trainable_parameters=7), *study.models[1:]))
    facts = model_part(partly, 0, full=False).facts
    assert facts.startswith(f"7 of its {result.parameters:,} parameters are trained · ")
    assert part.mistakes and len(part.matrices) == 2
    assert part.layers and "epochs" in part.training


def test_matrices_stand_once_on_the_page(study):
    full = model_part(study, 0, full=True)
    assert full.matrices == [] and full.mistakes == ""
    rates, mistakes = matrices(study, study.models[0])
    assert rates.caption == "A row is a true class, a column a predicted class; mean of 3 seeds."
    assert mistakes.caption.startswith("The same without the correct predictions")


def test_of_many_models_the_others_are_short(study):
    several = tuple(replace(study.models[0], name=f"m{k}") for k in range(7))
    probabilities = {each.name: study.probabilities[study.models[0].name] for each in several}
    many = replace(study, models=several, probabilities=probabilities)
    short, long = (model_part(many, 0, full=full) for full in (False, True))
    assert len(short.figures) == 1 < len(long.figures)
    assert len(short.matrices) == 1


def test_one_seed_has_no_ensemble_and_no_band(single):
    part = model_part(single, 0, full=False)
    assert "averaged" not in part.facts
    assert not any("band" in figure.caption for figure in part.figures)
