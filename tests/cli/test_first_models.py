"""The models of a first recipe.

Oracle: they fit every size of images. Cost: 3 s.

Run: pytest tests/cli/test_first_models.py
"""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from bakeoff import recipe as recipes
from bakeoff.cli import first_models
from bakeoff.cli.first_models import class_weight, epochs, models
from bakeoff.cli.new import new
from bakeoff.study.planning.plan import plan


def test_every_model_fits_every_size(tmp_path):
    for side in (1, 2, 3, 5, 6, 7, 12, 23, 64):
        np.savez(tmp_path / "x.npz", x=np.zeros((20, side, side)), y=np.arange(20) % 2)
        path = new(str(tmp_path / "x.npz"), folder=tmp_path).path
        plan(recipes.load(path))
        path.unlink()


@pytest.mark.parametrize(
    ("images", "batch", "wanted"), [(100, 32, 60), (12_800, 128, 40), (1_000_000, 128, 10)]
)
def test_epochs_make_enough_steps(images, batch, wanted):
    assert epochs(images, batch) == wanted


def test_classes_count_alike_where_one_has_twice_the_images():
    assert class_weight([100, 51, 0]) == class_weight([]) == ""
    assert class_weight([100, 25, 0]) == (
        "  class_weight: balanced  # the largest class has 4.0 times the training images of the "
        "smallest\n"
    )


@pytest.mark.parametrize(
    ("parts", "lonely"),
    [
        ({"": 120}, False),
        ({"": 120}, True),  # too few of a class for folds
        ({"_train": 120, "_test": 300}, False),
        ({"_train": 120, "_val": 90, "_test": 30}, False),
    ],
)
def test_fine_tuning_takes_what_plan_says(tmp_path, rng, monkeypatch, parts, lonely):
    monkeypatch.setattr(first_models.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(first_models, "measured_rate", lambda: 60e9)
    monkeypatch.setattr(first_models, "cores", lambda: 1)
    monkeypatch.setattr(first_models, "_FINE_TUNING_SECONDS", 1e9)
    monkeypatch.setattr(first_models, "duration", lambda seconds, rough: f"{seconds:.3f}")
    arrays = {}
    for part, images in parts.items():
        arrays[f"x{part}"] = rng.integers(0, 256, (images, 40, 40, 3), dtype=np.uint8)
        arrays[f"y{part}"] = np.arange(images) > 2 if lonely else np.arange(images) % 2
    np.savez(tmp_path / "a.npz", **arrays)
    path = new(str(tmp_path / "a.npz"), folder=tmp_path).path
    said = re.search(r"fine-tuned, slowly; about ([\d.]+) ", path.read_text(encoding="utf-8"))
    monkeypatch.setattr("bakeoff.study.planning.plan.measured_rate", lambda: 60e9)
    planned = {each.recipe.name: each for each in plan(recipes.load(path)).models}
    assert said is not None
    assert float(said[1]) == pytest.approx(5 * planned["fine-tuned"].seconds_per_trial, rel=0.01)


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ((8, 8, 1), ["mlp", "small-cnn", "compact-cnn"]),
        ((28, 28, 1), ["mlp", "small-cnn", "compact-cnn"]),
        ((5, 5, 3), ["small-mlp", "mlp"]),
        ((31, 200, 3), ["mlp", "small-cnn", "compact-cnn"]),
        ((32, 32, 3), ["residual-cnn", "small-cnn"]),
        ((32, 32, 1), ["residual-cnn", "small-cnn"]),
    ],
)
def test_models_for_photographs_and_for_drawings(rng, shape, names):
    data = SimpleNamespace(
        input_shape=shape,
        n_classes=10,
        labels=[0] * 100,
        images=rng.integers(0, 256, (100, *shape), dtype=np.uint8),
        test_start=None,
        validation_start=None,
    )
    found = yaml.safe_load(models(data, networks=5))
    assert [each for each in found if each not in ("pretrained", "fine-tuned")] == names
