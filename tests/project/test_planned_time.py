"""That the time `plan` foresees fits the steps that the benchmark has measured.

Oracle: docs/benchmarks.json and those of other machines, each with the rate of a large product of
the same run. Cost: nothing. Run: pytest tests/project/test_planned_time.py
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from bakeoff.recipe.architecture import describe
from bakeoff.study.planning.cost import trial_seconds
from benchmarks.workloads import input_shape, load, named

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENTS = sorted(DOCS.glob("benchmarks*.json"))
CLASSES = 10


def foreseen_and_measured(workload):
    """Return the seconds of a step, on each of two cores that are both busy."""
    declared = named([workload["name"]])[0]
    model = load(declared.recipe).models[declared.model]
    batch, epochs = model.training.batch_size, model.training.epochs
    fastest = max(
        (row for row in workload["contestants"] if row["name"].startswith("bakeoff")),
        key=lambda row: row["steps_per_second"],
    )
    assert fastest["arrangement"] == "2 × 1 thread"
    limits = [one["limit"] for one in workload["ours"]]
    (rate,) = {each["large_per_second"] / 2 for each in limits if not each.get("held")}
    architecture = describe(model, input_shape(declared.recipe), CLASSES)
    seconds = trial_seconds(model, architecture, images=batch, validation=0, rate=rate) / epochs
    return seconds, 2 / fastest["steps_per_second"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_step_takes_what_is_planned(path):
    workloads = json.loads(path.read_text(encoding="utf-8"))["workloads"]
    pairs = [foreseen_and_measured(each) for each in workloads if each["contestants"]]
    assert pairs
    ratios = np.log([measured / foreseen for foreseen, measured in pairs])
    assert np.abs(ratios).max() < math.log(2)  # a network: products that Winograd saves are counted
    assert abs(ratios.mean()) < math.log(1.25)  # all of them
