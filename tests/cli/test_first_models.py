"""The models of a first recipe.

Oracle: they fit every size of images. Cost: 3 s.

Run: pytest tests/cli/test_first_models.py
"""

from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from bakeoff import recipe as recipes
from bakeoff.cli.first_models import class_weight, epochs, models
from bakeoff.cli.new import new
from bakeoff.study.plan import plan


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
        "  class_weight: balanced  # the largest class has 4.0 times the images of the smallest\n"
    )


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ((8, 8, 1), {"small-mlp", "mlp", "cnn"}),
        ((5, 5, 3), {"small-mlp", "mlp"}),
        ((31, 200, 3), {"small-mlp", "mlp", "cnn"}),
        ((32, 32, 3), {"residual-cnn", "small-cnn"}),
    ],
)
def test_models_for_photographs_and_for_drawings(shape, names):
    data = SimpleNamespace(input_shape=shape, n_classes=10, labels=[0] * 100)
    found = yaml.safe_load(models(data))
    assert found.keys() - {"pretrained", "fine-tuned"} == names  # the second where time allows
