"""Backbones that are part of the network that is trained: another study's, and Lite0.

Oracle: the same network written in Keras with two of Keras's optimizers, one for the backbone and
one for the head, step by step; files on disk. Cost: 12 s.
Run: pytest tests/training/test_backbone_in_network.py
"""

from pathlib import Path

import jax
import keras
import numpy as np
import pytest

from bakeoff.errors import RecipeError, StudyError
from bakeoff.recipe import parse
from bakeoff.recipe.architecture import describe
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import read_recipe
from bakeoff.study.create.study_backbones import with_study_backbones
from bakeoff.study.jobs import checkpoints
from bakeoff.study.run import run
from bakeoff.training.build_model import build, pretrain
from bakeoff.training.plain_model import plain_model
from bakeoff.training.predict import predict
from bakeoff.training.trainer import Trainer
from bakeoff.use.export.program import program_of
from tests.helpers.jobs import Killed, Killer, Listener
from tests.helpers.layers import called
from tests.helpers.small import files
from tests.helpers.trainers import development, trained

SOURCE = [
    {"conv2d": {"filters": 4, "kernel_size": 3, "padding": "same", "use_bias": False}},
    "batch_normalization",
    {"residual": [{"conv2d": {"filters": 4, "kernel_size": 3, "padding": "same"}}]},
    {"activation": "relu"},
    "global_average_pooling2d",
    {"dense": {"units": 6, "activation": "tanh"}},
    {"dropout": 0.4},
]


def recipe(models, name="digits", **more):
    raw = {"name": name, "data": "digits", "models": models, **more}
    return parse(raw, origin="test", folder=Path("/"))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A study of digits with one trained seed."""
    folder = tmp_path_factory.mktemp("source") / "first"
    declared = recipe(
        {"cnn": {"layers": SOURCE}},
        seeds=[4],
        training={"epochs": 1, "batch_size": 256},
        split={"validation": 0.2, "test": 0.5},
        baselines=[],
    )
    run(declared, out=folder, workers=1, device="cpu", keep_sealed=True)
    return folder


def from_study(source, training=None, layers=(), **said):
    backbone = {"study": str(source), "model": "cnn", **said}
    model = {"backbone": backbone, "layers": [*layers], "training": training or {"epochs": 2}}
    return with_study_backbones(recipe({"m": model})).models["m"]


def source_weights(source):
    from safetensors.numpy import load_file

    return load_file(source / "trials/cnn/seed-4/weights.safetensors")


def plain_network(source):
    """Return the other study's network with its weights, in Keras's own layers, output left out."""
    declared = recipe({"cnn": {"layers": SOURCE}}).models["cnn"]
    settings = {"input_shape": (8, 8, 1), "n_classes": 10, "maximum": 1.0, "dtype": "float32"}
    whole = plain_model(declared, [source_weights(source)], **settings).layers[-1]
    return keras.Model(whole.input, whole.layers[-2].output)


def test_features_are_those_of_the_other_study_and_stay_when_frozen(source):
    model = from_study(source)
    network = build(model, (8, 8, 1), 3, seed=3)
    pretrain(network, model)
    images = np.random.default_rng(0).random((5, 8, 8, 1), np.float32)
    expected = np.asarray(called(plain_network(source), images))
    found = np.asarray(called(network.get_layer("backbone"), images))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert len(network.trainable_variables) == 2  # the output layer's

    data = development()
    outcome = trained(Trainer(model, data, seed=0, selection="last"))
    described = describe(model, data.input_shape, 3)
    found = (outcome.parameters, outcome.trainable_parameters)
    assert found == (described.parameters, described.trainable_parameters)
    assert outcome.trainable_parameters == 6 * 3 + 3
    kept = [hash(value.tobytes()) for value in source_weights(source).values()]
    same = [name for name, value in outcome.weights.items() if hash(value.tobytes()) in kept]
    assert len(same) == len(source_weights(source)) - 2, sorted(outcome.weights)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_training_along_is_two_of_keras_optimizers(source, optimizer):
    arguments = {"adamw": {"weight_decay": 0.1}, "sgd": {"momentum": 0.9}}[optimizer]
    rate = [{"linear": {"start": 0.01, "end": 0.02}}]
    training = {
        "epochs": 2,
        "batch_size": 25,
        "optimizer": {optimizer: {"learning_rate": rate, **arguments}},
    }
    model = from_study(source, training, trainable=True, learning_rate=0.002)
    data = development(n=50, validation=0)
    trainer = Trainer(model, data, seed=1, selection="last")
    inner = plain_network(source)
    images = keras.Input((6, 6, 1))
    resized = keras.ops.image.resize(images, (8, 8), "bilinear")
    network = keras.Model(
        images, keras.layers.Dense(3, activation="softmax")(inner(resized, training=False))
    )
    start = trainer.state[0]
    network.layers[-1].set_weights([np.asarray(each) for each in start[-2:]])
    kind = getattr(keras.optimizers, {"adamw": "AdamW", "sgd": "SGD"}[optimizer])
    slow, fast = inner.trainable_variables, network.layers[-1].trainable_variables
    optimizers = [(kind(0.0, **arguments), slow, 0.1), (kind(0.0, **arguments), fast, 1.0)]
    for made, variables, _ in optimizers:
        made.build(variables)

    @jax.jit
    @jax.grad
    def gradients_of(values, other, inputs, targets):
        found, _ = network.stateless_call(values, other, inputs, training=False)
        return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(targets, found))

    for _ in range(2):
        order, _, now = trainer.draws()
        for rows in (order[:25], order[25:]):
            values = [v.value for v in network.trainable_variables]
            other = [v.value for v in network.non_trainable_variables]
            pixels = data.train_images[rows].astype(np.float32) / 255
            gradients = gradients_of(values, other, pixels, data.train_labels[rows])
            by_id = dict(zip(map(id, network.trainable_variables), gradients, strict=True))
            for made, variables, share in optimizers:
                made.learning_rate = now * share
                made.apply([by_id[id(each)] for each in variables], variables)
        trainer.epoch()
    found = trainer.result().weights
    expected = [np.asarray(v.value) for v in network.trainable_variables]
    for name, value in list(found.items())[: len(expected)]:
        close = [e for e in expected if e.shape == value.shape and np.allclose(e, value, atol=1e-4)]
        assert close, name
    moved = np.abs(found[sorted(found)[0]] - source_weights(source)[sorted(found)[0]]).max()
    assert 1e-4 < moved < 0.1
    statistics = [v for n, v in found.items() if "moving" in n]
    theirs = [v for n, v in source_weights(source).items() if "moving" in n]
    for one, other in zip(statistics, theirs, strict=True):
        np.testing.assert_array_equal(one, other)  # batch normalization keeps its statistics


def test_from_a_layer_on(source):
    model = from_study(source, **{"from": 3})
    assert model.backbone.resolved()["from"] == 3
    network = build(model, (8, 8, 1), 3, seed=0)
    names = [variable.path.split("/")[-2] for variable in network.trainable_variables]
    assert (
        names == [*["backbone__3__conv2d_3"] * 2, *["backbone__6__dense_6"] * 2] + ["dense_1"] * 2
    )
    described = describe(model, (8, 8, 1), 3)
    assert described.trainable_parameters == sum(
        int(np.prod(v.shape)) for v in network.trainable_variables
    )
    assert 0 < described.passed_flops < described.flops_per_image
    assert model.backbone.learning_rate == pytest.approx(0.0001)  # a tenth of Adam's
    with pytest.raises(RecipeError) as caught:
        from_study(source, **{"from": 8})
    assert str(caught.value) == ("models.m.backbone.from: expected a layer of cnn, 1 to 7, found 8")


def test_exported_it_predicts_the_same(source):
    model = from_study(source, trainable=True, layers=[{"dense": 5}])
    data = development()
    outcome = trained(Trainer(model, data, seed=0, selection="last"))
    images = np.random.default_rng(1).integers(0, 256, (9, 6, 6, 1)).astype(np.uint8)
    found = predict(model, outcome.weights, images, maximum=255.0, n_classes=3)
    settings = {"input_shape": (6, 6, 1), "n_classes": 3, "maximum": 255.0}
    plain = plain_model(model, [outcome.weights], **settings)
    np.testing.assert_allclose(np.asarray(plain(images)), found, atol=1e-5)
    program = program_of(plain, "uint8")
    assert {each.kind for each in program.operations} >= {"transpose", "conv2d", "matmul"}


def test_a_study_that_starts_from_another(source, tmp_path):
    declared = recipe(
        {"m": {"backbone": {"study": str(source), "trainable": True}}},
        name="second",
        seeds=1,
        training={"epochs": 1, "batch_size": 256},
        baselines=[],
    )
    run(declared, out=tmp_path / "second", workers=1, device="cpu", keep_sealed=True)
    folder = StudyFolder(tmp_path / "second")
    written = read_recipe(folder, folder.read_study()).models["m"].backbone
    assert (written.model, written.network.seed) == ("cnn", 4)
    assert written.network.seen == "digits: 718 images in 10 classes"
    moved = tmp_path / "elsewhere"
    source.rename(moved)
    try:
        trial = folder.read_trial("m", 0)
        model = read_recipe(folder, folder.read_study()).models["m"]
        assert trial["parameters"] == describe(model, (8, 8, 1), 10).parameters
        network = build(model, (8, 8, 1), 10, seed=0)  # predicting needs no other study
        gone = (
            f"backbone first/cnn: expected the study {source} with the weights of cnn, found none "
            "there: bring it back, or name another"
        )
        with pytest.raises(StudyError) as caught:
            pretrain(network, model)
        assert str(caught.value) == gone
        before = files(folder.path)
        known = with_study_backbones(declared, folder)  # by this study, which lacks nothing
        assert known.models["m"].backbone.network == written.network
        with pytest.raises(StudyError) as caught:  # a seed more is refused before it is asked for
            run(declared.model_copy(update={"seeds": (0, 1)}), out=folder.path, keep_sealed=True)
        assert (str(caught.value), files(folder.path)) == (gone, before)
        with pytest.raises(StudyError, match="expected a study's folder, found no"):
            with_study_backbones(declared, StudyFolder(tmp_path / "third"))
    finally:
        moved.rename(source)


@pytest.mark.usefixtures("its_jobs_in_process")
def test_killed_while_it_is_fine_tuned_it_ends_in_the_same_bytes(source, tmp_path, monkeypatch):
    """In this process, where a kill is an exception; for real ones see tests/study/test_run.py."""
    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 0.0)
    declared = recipe(
        {"m": {"backbone": {"study": str(source), "trainable": True}}},
        name="tuned",
        seeds=1,
        training={"epochs": 3, "batch_size": 256},
        baselines=[],
    )

    def carry_out(name, watcher=None):
        run(declared, out=tmp_path / name, workers=1, keep_sealed=True, watcher=watcher)
        return files(tmp_path / name, "trials")

    undisturbed = carry_out("whole")
    with pytest.raises(Killed):
        carry_out("study", Killer(epochs=2))
    listener = Listener()
    assert carry_out("study", listener) == undisturbed
    assert [each[2].epoch for each in listener.heard if each[0] == "epoch"] == [1, 2]
