"""Backbones as recipes declare them, and back: what is read, written out, refused.

Oracle: messages and values by hand. Cost: 0.5 s.
Run: pytest tests/recipe/parsing/test_parse_backbone.py
"""

import re
from pathlib import Path

import pytest

from bakeoff.errors import RecipeError
from bakeoff.recipe import parse
from bakeoff.recipe.architecture import describe
from bakeoff.recipe.vocabulary.backbones import BACKBONES, LITE0, backbone_layers

NETWORK = {
    "input_shape": [8, 8, 1],
    "seed": 1,
    "weights": "0" * 64,
    "seen": "digits: 900 images in 10 classes",
    "layers": [{"conv2d": {"filters": 4, "kernel_size": 3}}, "flatten", {"dense": 5}],
}


def read(backbone, **more):
    model = {"backbone": backbone, **more}
    raw = {"name": "x", "data": "digits", "models": {"m": model}}
    recipe = parse(raw, origin="x", folder=Path("/studies"))
    assert parse(recipe.resolved(), origin="x", folder=Path("/studies")) == recipe
    return recipe.models["m"]


def test_a_name_is_frozen_and_its_features_are_kept():
    model = read(LITE0)
    assert (model.frozen_backbone, model.backbone.resolved()) == (LITE0, LITE0)
    assert read({"name": LITE0, "trainable": False}).frozen_backbone == LITE0


def test_fine_tuned_it_has_a_learning_rate_of_its_own():
    rate = [{"linear": {"start": 0.1, "end": 0.2}}]
    training = {"epochs": 4, "optimizer": {"sgd": {"learning_rate": rate}}}
    model = read({"name": LITE0, "trainable": True}, training=training)
    assert model.backbone.learning_rate == pytest.approx(0.02)
    assert model.frozen_backbone is None
    said = {"name": LITE0, "from": "block_14", "learning_rate": 1e-5}
    model = read(said)
    assert model.backbone.resolved() == said
    described = describe(model, (8, 8, 1), 3)
    names = [layer.name for layer in backbone_layers(LITE0)]
    late = backbone_layers(LITE0)[names.index("block_14_expand") :]
    assert described.trainable_parameters == sum(each.trainable for each in late) + 1280 * 3 + 3
    assert described.layers[0].label == "backbone efficientnet_lite0, fine-tuned from block_14 on"


def test_passes_of_changed_images():
    augment = [{"random_flip": "horizontal"}, {"random_rotation": 0.1}]
    model = read({"name": LITE0, "augment": augment})
    assert (model.frozen_backbone, model.backbone.passes) == (LITE0, 5)
    assert [change.number for change in model.image_changes] == [1, 2, 3, 4]
    assert len({change.identity for change in model.image_changes}) == 4
    assert read({"name": LITE0, "augment": augment, "passes": 2}).backbone.passes == 2
    assert read({"name": LITE0, "augment": augment, "trainable": True}).image_changes == ()
    assert read({"study": "a", "augment": augment, "network": NETWORK}).backbone.augment


def test_another_studys_model():
    model = read({"study": "digits", "model": "cnn", "from": 3, "network": NETWORK})
    assert model.backbone.study == "/studies/digits"
    described = describe(model, (28, 28, 1), 2)
    assert described.parameters == (9 * 4 + 4) + (6 * 6 * 4 * 5 + 5) + (5 * 2 + 2)
    assert described.trainable_parameters == (6 * 6 * 4 * 5 + 5) + (5 * 2 + 2)
    with pytest.raises(RecipeError, match="expected a backbone that was looked up, found none"):
        describe(read({"study": "digits"}), (28, 28, 1), 2)


@pytest.mark.parametrize(
    ("backbone", "text"),
    [
        (
            {"name": LITE0, "from": "block_3_expnd"},
            "models.m.backbone.from: expected a layer of efficientnet_lite0, found "
            "'block_3_expnd'; did you mean block_3_expand?",
        ),
        (
            {"name": LITE0, "learning_rate": 0.1},
            "models.m.backbone.learning_rate: expected trainable: true or from: LAYER beside it, "
            "found neither: a frozen backbone learns nothing",
        ),
        (
            {"name": LITE0, "trainable": False, "from": "head"},
            "models.m.backbone.from: expected none beside trainable: false, found one: remove one "
            "of them",
        ),
        (
            {"name": LITE0, "passes": 3},
            "models.m.backbone.passes: expected a frozen backbone and augment beside it, found "
            "none: passes are for features that are computed beforehand",
        ),
        (
            {"name": LITE0, "augment": ["flatten"]},
            "models.m.backbone.augment[1]: expected a layer that changes images and not their "
            "size (random_flip, random_translation, random_rotation, random_zoom, "
            "random_contrast, random_brightness, cutout), found flatten",
        ),
        (
            {"study": 3},
            "models.m.backbone.study: expected the path of a study, found 3",
        ),
        (
            {"study": "a", "from": "conv2d"},
            "models.m.backbone.from: expected a whole number from 1 to 1,000, found 'conv2d'",
        ),
        (
            {"study": "a", "network": 3},
            "models.m.backbone.network: expected what Bakeoff writes there, found 3: remove it",
        ),
        (
            {"study": "a", "network": {**NETWORK, "input_shape": [3]}},
            "models.m.backbone.network.input_shape: expected height, width and channels, found [3]",
        ),
    ],
)
def test_refused(backbone, text):
    with pytest.raises(RecipeError, match=re.escape(text)):
        read(backbone)


@pytest.mark.parametrize("name", BACKBONES)
def test_what_is_written_of_each_layer_adds_up(name):
    known, layers = BACKBONES[name], backbone_layers(name)
    assert sum(layer.flops for layer in layers) == known.flops
    assert 0 < sum(layer.trainable for layer in layers) <= known.parameters
    assert len({layer.name for layer in layers}) == len(layers)
    numbered = [
        each.name for each in layers if re.fullmatch(r"(separable_)?conv2d(_\d+)?", each.name)
    ]
    assert not numbered  # Keras numbers such layers by what else a process has built
