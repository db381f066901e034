"""The stages of a study.

Oracle: by hand. Cost: 1 s.

Run: pytest tests/study/planning/test_stages.py
"""

import json

from bakeoff import recipe as recipes
from bakeoff.study.planning.stages import Stage, stages
from tests.helpers import small


def test_the_stages_of_a_recipe(tmp_path):
    npz = small.write_npz(tmp_path / "small.npz")
    recipe = small.declare(npz, race={"after": [3, 4]}, seeds=[7, 3, 5, 9, 1])
    assert stages(recipe) == (
        Stage((1, 3, 5), race=True),
        Stage((1, 3, 5, 7), race=True),
        Stage((1, 3, 5, 7, 9), opens=True),
    )
    assert stages(small.declare(npz)) == (Stage((0, 1), opens=True),)
    assert recipes.parse(recipe.resolved(), origin="again", folder=tmp_path) == recipe
    json.dumps(recipe.resolved())
