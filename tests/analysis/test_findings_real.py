"""Findings of studies that were really trained: each is triggered by one and absent from another.

Oracle: networks and data made sick on purpose, each in a way with a known finding. What decides a
finding in detail is tested on made-up results in test_checks.py.
Cost: 35 s on one core. Run: .venv/bin/pytest tests/analysis/test_findings_real.py
"""

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bakeoff import data
from bakeoff.analysis.checks import MODEL_CHECKS, STUDY_CHECKS
from bakeoff.recipe import load, parse
from bakeoff.storage.formats import read_sealed_json, sealed_json
from bakeoff.study.compare import compare
from bakeoff.study.run import run

pytestmark = pytest.mark.usefixtures("jobs_in_process")  # nothing here is looked at

CODES = (*STUDY_CHECKS, *MODEL_CHECKS)
DIVIDES = """
import keras



def build(input_shape, n_classes):
    image = keras.Input(input_shape)
    mean = keras.ops.mean(image, axis=(1, 2, 3), keepdims=True)  # 1 for a blank page
    x = keras.layers.Flatten()(image / (1 - mean))
    return keras.Model(image, keras.layers.Dense(n_classes, activation="softmax")(x))


def again(input_shape, n_classes):
    fixed = keras.initializers.HeNormal(seed=1)
    model = keras.Sequential([
        keras.Input(input_shape), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(),
        keras.layers.Dense(8, kernel_initializer=fixed), keras.layers.Dense(n_classes, "softmax"),
    ])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def fixed(input_shape, n_classes):
    last = keras.layers.Dense(n_classes, "softmax", trainable=False)
    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), last])


def lost(input_shape, n_classes):
    return keras.Sequential([
        keras.Input(input_shape), keras.layers.LayerNormalization(),
        keras.layers.SpatialDropout2D(0.1, seed=1), keras.layers.Flatten(),
        keras.layers.Dense(n_classes, "softmax"),
    ])
"""


def dense(*units, **more):
    return [{"dense": {"units": each, "activation": "relu", **more}} for each in units]


def model(layers, epochs, rate, kind="adam"):
    return {"layers": layers, "training": {"epochs": epochs, "optimizer": {kind: rate}}}


def sick_networks():
    """Networks on the digits, on 718 training images; four programs, to be compiled once each."""
    falling = [{"epochs": 9, "constant": 0.01}, {"constant": 0.001}]
    freezing = [{"exponential": {"start": 0.02, "rate": -0.7}}]
    return {
        "fine": model(dense(32), 12, {"learning_rate": falling}),
        "short": model(dense(32), 5, 0.002),
        "long": model(dense(32), 45, 0.03),
        "frozen": model(dense(32), 10, {"learning_rate": freezing}),
        "narrow": model(dense(3), 12, 0.02),
        "dead": model(dense(4, 4, 4), 6, 100.0),
        "exploding": model(dense(32, kernel_regularizer={"l2": 0.01}), 6, 1000.0, "sgd"),
        "unstable": model(dense(4, 4, 4), 8, 0.05),
    }


def noise(folder):
    """Images of pure noise, eight in ten of one class: there is nothing to learn."""
    rng = np.random.default_rng(0)
    path = folder / "noise.npz"
    labels = np.tile([0] * 8 + [1, 2], 120)
    np.savez(path, x=rng.integers(0, 256, (1200, 8, 8)).astype(np.uint8), y=labels)
    return path


def twisted_digits(folder):
    """Digits with twins in the test part, a tiny class, a class given two names, a white image."""
    digits = data.load("digits")
    images = np.round(digits.images[..., 0] * (255 / 16)).astype(np.uint8)
    labels = digits.labels.copy()
    rng = np.random.default_rng(0)
    threes = np.flatnonzero(labels == 3)
    labels[rng.permutation(threes)[: len(threes) // 2]] = 10  # two names for one thing
    few = np.flatnonzero(labels == 9)
    keep = np.setdiff1d(np.arange(len(labels)), few[8:])  # the class 9 is tiny
    images, labels = images[keep], labels[keep]
    order = rng.permutation(len(labels))
    images, labels = images[order], labels[order]
    n_train = 1200
    images[n_train : n_train + 20] = images[:20]  # learnt by heart
    labels[n_train : n_train + 20] = labels[:20]
    images[-1] = 255
    path = folder / "twisted.npz"
    np.savez(
        path, x_train=images[:n_train], y_train=labels[:n_train],
        x_test=images[n_train:], y_test=labels[n_train:],
    )  # fmt: skip
    (folder / "divides.py").write_text(DIVIDES)
    return path


@dataclass(frozen=True)
class Studies:
    """Results by name, each made when it is first asked for; one user's ledger for all."""

    folder: Path

    @cache  # noqa: B019  # lives as long as the session
    def __call__(self, name):
        return getattr(self, name)()

    def run(self, name, **settings):
        mapping = {"name": name, "baselines": ["majority"], "seeds": 3, **settings}
        recipe = parse(mapping, origin=name, folder=self.folder)
        return run(recipe, out=self.folder / name, device="cpu")

    def digits(self):
        return self.run(
            "digits", data="digits", split={"validation": 0.5}, models=sick_networks(),
            baselines=["logistic"],
        )  # fmt: skip

    def noise(self):
        models = {
            "memory": model(dense(256), 30, 0.005),
            "shy": model(dense(4), 6, 0.002, "sgd"),
        }
        path = noise(self.folder)
        return self.run("noise", data={"npz": str(path)}, models=models, selection="last")

    def twisted(self):
        models = {
            "mlp": model(dense(32), 12, 0.01),
            "divides": {"python": f"{self.folder / 'divides.py'}:build"},
            "again": {"python": f"{self.folder / 'divides.py'}:again"},
        }
        path = twisted_digits(self.folder)
        training = {"epochs": 3, "optimizer": {"adam": 0.01}}
        return self.run("twisted", data={"npz": str(path)}, models=models, training=training)

    def single(self):
        models = {f"line-{k}": model([], 2, 0.01 + 0.001 * k) for k in range(5)}
        return self.run("single", data="digits", models=models, seeds=1)

    def untrained(self):
        file = self.folder / "fixed.py"
        file.write_text(DIVIDES)
        models = {name: {"python": f"{file}:{name}"} for name in ("fixed", "lost")}
        training = {"epochs": 1, "batch_size": 512}
        settings = {"seeds": 1, "baselines": [], "training": training}
        return self.run("untrained", data="digits", models=models, **settings)

    def pair(self):
        models = {f"line-{k}": model([], 1, 0.01 + 0.001 * k) for k in range(2)}
        return self.run("pair", data="digits", models=models, seeds=2, baselines=[])

    def searched(self):
        """One model whose longest training is best, another as declared."""
        tuned = model([], {"whole": [1, 4]}, 0.01)
        models = {"tuned": tuned, "line": model([], 2, 0.01)}
        search = {"settings": 4, "sampler": "grid"}
        return self.run("searched", data="digits", models=models, seeds=1, search=search)

    def relaxed(self):
        """The same study with another margin, once its results are known."""
        self("pair")
        recipe = load(self.folder / "pair" / "recipe.yaml")
        recipe = recipe.model_copy(update={"margin": 0.3})
        return run(recipe, out=self.folder / "pair", device="cpu")

    def altered(self):
        """One trial of the same study gone, another trained with another version of NumPy."""
        self("relaxed")
        study = shutil.copytree(self.folder / "pair", self.folder / "altered")
        shutil.rmtree(study / "trials" / "line-1" / "seed-1")
        path = study / "trials" / "line-0" / "seed-0" / "environment.json"
        recorded = read_sealed_json(path)
        path.write_bytes(sealed_json({**recorded, "numpy": "2.0.0"}))
        return compare([study])

    def reordered(self):
        """Test labels in another order of the classes than the others."""
        digits = data.load("digits")
        images, labels = np.round(digits.images[..., 0] * (255 / 16)).astype("u1"), digits.labels
        path = self.folder / "reordered.npz"
        np.savez(
            path, x_train=images[:1200], y_train=labels[:1200],
            x_test=images[1200:], y_test=(labels[1200:] + 1) % 10,
        )  # fmt: skip
        models = {"line": model([], 8, 0.01)}
        return self.run("reordered", data={"npz": str(path)}, models=models, seeds=1)

    def unfinished(self):
        """Two seeds more for one model, trained and not yet opened."""
        self("single")
        run(self.more_seeds(), out=self.folder / "single", only=["line-0"], device="cpu")
        return compare([self.folder / "single"])

    def grown(self):
        self("unfinished")
        return run(self.more_seeds(), out=self.folder / "single", device="cpu")

    def more_seeds(self):
        recipe = load(self.folder / "single" / "recipe.yaml")
        return recipe.model_copy(update={"seeds": (0, 1, 2)})


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    return Studies(tmp_path_factory.mktemp("studies"))


@pytest.fixture(autouse=True)
def one_home(studies, monkeypatch):
    monkeypatch.setenv("BAKEOFF_HOME", str(studies.folder / "home"))


TRIGGERED = [
    ("diverged-run", "digits", "exploding", "serious"),
    ("dead-run", "digits", "dead", "serious"),
    ("constant-prediction", "noise", "shy", "serious"),
    ("no-answer", "twisted", "divides", "serious"),
    ("scales-again", "twisted", "again", "serious"),
    ("same-initial-weights", "twisted", "again", "serious"),
    ("compiled", "twisted", "again", "warning"),
    ("nothing-trained", "untrained", "fixed", "serious"),
    ("pixels-lost", "untrained", "lost", "serious"),
    ("same-random-draws", "untrained", "lost", "warning"),
    ("chance-level", "noise", "memory", "serious"),
    ("worse-than-baseline", "digits", "narrow", "serious"),
    ("over-fitting", "noise", "memory", "warning"),
    ("under-fitting", "digits", "narrow", "warning"),
    ("still-improving", "digits", "short", "warning"),
    ("stopped-improving", "digits", "long", "info"),
    ("selected-at-edge", "digits", "frozen", "info"),
    ("unstable-seeds", "digits", "unstable", "warning"),
    ("badly-calibrated", "noise", "memory", "warning"),
    ("confused-classes", "twisted", "mlp", "info"),
    ("weak-classes", "twisted", "mlp", "info"),
    ("missing-trials", "unfinished", None, "serious"),
    ("one-seed", "single", None, "serious"),
    ("opened-again", "grown", None, "warning"),
    ("opened-elsewhere", "single", None, "warning"),
    ("few-seeds", "pair", None, "serious"),
    ("rules-changed", "relaxed", None, "warning"),
    ("unseen-failures", "digits", None, "info"),
    ("test-below-validation", "reordered", "line", "serious"),
    ("changed-trials", "altered", None, "serious"),
    ("mixed-environments", "altered", None, "warning"),
    ("duplicates", "twisted", None, "serious"),
    ("small-classes", "twisted", None, "warning"),
    ("too-few-seeds", "digits", None, "warning"),
    ("many-models", "single", None, "info"),
    ("unequal-searches", "searched", None, "warning"),
    ("search-at-edge", "searched", "tuned", "warning"),
    ("settings-alike", "searched", "tuned", "info"),
]
SILENT = [
    *((code, "digits", "fine") for code in MODEL_CHECKS if code != "worse-than-baseline"),
    ("worse-than-baseline", "twisted", "mlp"),
    ("missing-trials", "digits", None),
    ("one-seed", "digits", None),
    ("opened-again", "digits", None),
    ("opened-elsewhere", "noise", None),
    ("few-seeds", "noise", None),
    ("rules-changed", "pair", None),
    ("unseen-failures", "pair", None),
    ("changed-trials", "noise", None),
    ("mixed-environments", "noise", None),
    ("duplicates", "digits", None),
    ("small-classes", "digits", None),
    ("too-few-seeds", "single", None),
    ("many-models", "twisted", None),
    ("unequal-searches", "digits", None),
]


def found(studies, name):
    return {(each.code, each.model): each for each in studies(name).findings}


def test_every_code_is_triggered_by_one_study_and_absent_from_another():
    assert sorted(code for code, *_ in TRIGGERED) == sorted(CODES)
    assert sorted(code for code, *_ in SILENT) == sorted(CODES)


@pytest.mark.parametrize(("code", "name", "about", "severity"), TRIGGERED)
def test_triggered(studies, code, name, about, severity):
    findings = found(studies, name)
    assert (code, about) in findings
    finding = findings[code, about]
    assert finding.severity == severity
    assert finding.text.endswith(".") and finding.advice.endswith(".")


@pytest.mark.parametrize(("code", "name", "about"), SILENT)
def test_silent(studies, code, name, about):
    assert (code, about) not in found(studies, name)
