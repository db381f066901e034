"""What a search may say.

Oracle: whole messages. Cost: 1 s.

Run: pytest tests/recipe/parsing/test_parse_search.py
"""

import pytest

from tests.helpers.refused_recipes import refusal


@pytest.mark.parametrize(
    ("model", "changes", "message"),
    [
        (
            {"layers": [{"dense": {"units": {"choice": [64, -1]}}}]},
            {},
            "models.mlp.layers[1].dense.units: with -1: expected a whole number from 1 to "
            "1,000,000, found -1",
        ),
        (
            {"layers": [{"dense": {"units": {"whole": [64, 8]}}}]},
            {},
            "models.mlp.layers[1].dense.units.whole: expected two whole numbers, the smaller one "
            "first, found [64, 8]",
        ),
        (
            {"layers": [], "training": {"optimizer": {"adam": {"log": [0, 1]}}}},
            {},
            "models.mlp.training.optimizer.adam.log: expected two numbers above 0, the smaller one "
            "first, found [0, 1]",
        ),
        (
            {"layers": [{"dropout": {"uniform": [0.5, 1.5]}}]},
            {},
            "models.mlp.layers[1].dropout: with 1.5: expected a number from 0 to below 1, found "
            "1.5",
        ),
        (
            {"layers": [{"dense": {"choice": [8]}}]},
            {},
            "models.mlp.layers[1].dense.choice: expected 2 to 100 options, found [8]",
        ),
        (
            {"layers": [{"dense": {"choice": [8, 9, 8]}}]},
            {},
            "models.mlp.layers[1].dense.choice: expected different options, found 8 twice",
        ),
        (
            {"layers": [{"dense": {"units": 8, "activation": {"choice": ["silu", "swish"]}}}]},
            {},
            "models.mlp.layers[1].dense.activation.choice: expected different options, found silu "
            "and swish, which say the same",
        ),
        (
            {"layers": [], "training": {"optimizer": {"choice": ["adam", {"adam": 0.001}]}}},
            {},
            "models.mlp.training.optimizer.choice: expected different options, found adam and adam "
            "0.001, which say the same",
        ),
        (
            {"layers": [], "training": {"optimizer": {"choice": ["adam", {"adam": {}}]}}},
            {},
            "models.mlp.training.optimizer.choice: expected different options, found adam twice",
        ),
        (
            {"layers": [{"repeat": {"layers": ["flatten"]}}]},
            {},
            "models.mlp.layers[1].repeat: expected a repeat such as {whole: [1, 3], layers: […]}, "
            "found a mapping",
        ),
        (
            {"layers": [{"repeat": {"choice": ["2", 200], "layers": ["flatten"]}}]},
            {},
            "models.mlp.layers[1].repeat: expected to repeat 0 to 100 times, found another number",
        ),
        (
            {"layers": [{"choice": ["flatten", {"repeat": {"whole": [1, 2], "layers": []}}]}]},
            {},
            "models.mlp.layers[1].choice[2]: expected repeat in a list of layers, found it alone: "
            "write [{repeat: …}]",
        ),
        (
            {"python": {"choice": ["a.py:build", "b.py:build"]}},
            {},
            "models.mlp.python: expected one, found a choice: declare a model for each",
        ),
        (
            {"backbone": {"choice": ["efficientnet_lite0", {"study": "a"}]}},
            {},
            "models.mlp.backbone: expected one, found a choice: declare a model for each",
        ),
        (
            {"backbone": {"study": {"choice": ["a", "b"]}}},
            {},
            "models.mlp.backbone.study: expected one, found a choice: declare a model for each",
        ),
        (
            {"layers": [], "search": {"settings": 3}},
            {},
            "models.mlp.search: expected a choice in this model, such as {log: [0.0001, 0.01]}, "
            "found none",
        ),
        (
            {"layers": []},
            {"search": {"settings": 3}},
            "search: expected a model with a choice, such as {log: [0.0001, 0.01]}, found none",
        ),
        (
            {"layers": []},
            {"training": {"optimizer": {"adam": {"learning_rate": {"log": [0.001, 0.1]}}}}},
            "training: expected no choice for all models, found one: write it in the training of "
            "each",
        ),
        (
            {"layers": [{"dense": {"choice": [8, 9]}}]},
            {"search": {"sampler": "tree"}},
            "search.sampler: expected a sampler (tpe, random, grid, qmc), found 'tree'",
        ),
        (
            {"layers": [{"dense": {"choice": [8, 9]}}], "search": {"trials": 3}},
            {},
            "models.mlp.search.trials: unknown key; known: settings, sampler, minutes, pruning, "
            "seed",
        ),
        (
            {"layers": [{"dense": {"choice": [8, 9]}}]},
            {"split": {"folds": 3, "repeats": 3}},
            "models.mlp: expected no choices beside split.folds, found some: a search takes one "
            "split",
        ),
        (
            {"layers": [{"dense": {"choice": [8, 9]}}]},
            {"split": {"validation": 0}, "selection": "last"},
            "models.mlp: expected validation images, on which settings are judged, found "
            "split.validation 0: give some",
        ),
        (
            {"layers": [{"dense": {"choice": [8, 9]}}]},
            {"seeds": [1, 1_000_000_007]},
            "seeds: expected seeds below 1,000,000,000, above which a search has its own, found "
            "1000000007",
        ),
    ],
)
def test_what_a_search_may_not_say(model, changes, message):
    assert refusal(models={"mlp": model}, **changes) == f"recipe x.yaml, {message}"
