"""Models of other studies as backbones: which cannot be, and what counts as the same one.

Oracle: messages by hand. What can be: tests/training/test_backbone_in_network.py. Cost: 0.2 s.
Run: pytest tests/study/create/test_study_backbones.py
"""

from pathlib import Path
from types import SimpleNamespace

import pytest

from bakeoff.errors import RecipeError, StudyError
from bakeoff.recipe import parse
from bakeoff.study.create import study_backbones
from bakeoff.study.create.study_backbones import with_study_backbones
from bakeoff.study.jobs.model_identity import same_network

NETWORK = {
    "input_shape": [8, 8, 1],
    "seed": 1,
    "weights": "0" * 64,
    "seen": "digits: 900 images in 10 classes",
    "layers": [{"dense": 5}],
}


def recipe(model, folder="/studies"):
    raw = {"name": "x", "data": "digits", "models": {"m": model}}
    return parse(raw, origin="x", folder=Path(folder))


def test_a_study_that_is_not_there(tmp_path):
    with pytest.raises(StudyError, match="expected a study's folder, found no"):
        with_study_backbones(recipe({"backbone": {"study": "gone"}}, folder=tmp_path))


@pytest.mark.parametrize(
    ("model", "have"),
    [
        ({"layers": []}, "no layers"),
        ({"python": "models.py:build"}, "a Python builder"),
        ({"backbone": "efficientnet_lite0", "layers": []}, "one with a backbone"),
    ],
)
def test_models_that_cannot_be_a_backbone(monkeypatch, model, have):
    found = SimpleNamespace(
        recipe=recipe(model).models["m"], name="m", folder=SimpleNamespace(path="studies/a")
    )
    monkeypatch.setattr(study_backbones, "trained_model", lambda folder, model: found)
    with pytest.raises(RecipeError) as caught:
        with_study_backbones(recipe({"backbone": {"study": "a", "model": "m"}}))
    assert str(caught.value) == (
        f"models.m.backbone: expected a model with layers of its own, found {have}: m of studies/a"
    )


def test_a_study_that_moved_has_the_same_network():
    backbones = [
        recipe({"backbone": {"study": place, "network": NETWORK}}).models["m"].backbone
        for place in ("a", "b")
    ]
    assert backbones[0] != backbones[1]
    assert same_network(backbones[0]) == same_network(backbones[1])
    found = recipe({"backbone": {"study": "a", "network": NETWORK}})
    assert with_study_backbones(found) == found  # looked up already
