"""How many trials of a model train together in one program.

Oracle: by hand. Cost: 1 s. Run: pytest tests/study/executors/test_lanes.py
"""

import pytest

from bakeoff.recipe import Recipe, parse
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.executors.lanes import LANES, lanes_of


@pytest.mark.parametrize(("seeds", "lanes"), [(1, 1), (2, 2), (5, 8), (32, 32), (100, LANES)])
def test_lanes_follow_from_the_number_of_seeds(seeds, lanes):
    raw = {"name": "x", "data": "digits", "seeds": seeds, "models": {"m": {"layers": []}}}
    recipe: Recipe = parse(raw, origin="x", folder=StudyFolder(".").path)
    assert lanes_of(recipe) == lanes
