"""Ejected scripts and notebooks: read, run without Bakeoff, and compared with the study.

Oracle: the study's own test accuracies; the layers of the study's Keras models. Cost: 15 s, most of
it Keras training in a process of its own. Run: pytest tests/use/test_eject.py
"""

import ast
import json
import re
from pathlib import Path

import numpy as np
import pytest

from bakeoff import recipe
from bakeoff.errors import StorageError, StudyError, UsageError
from bakeoff.recipe import shipped
from bakeoff.recipe.vocabulary.optimizers import OPTIMIZERS
from bakeoff.recipe.vocabulary.training import TrainingOptions
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import read_recipe
from bakeoff.study.create import prepare
from bakeoff.study.run import run
from bakeoff.training.backbones.features import as_seen
from bakeoff.training.build_model import build
from bakeoff.use import eject as ejecting
from bakeoff.use.eject import eject
from tests.helpers import small
from tests.helpers.disks import largest_file
from tests.helpers.scripts import printed

pytestmark = pytest.mark.usefixtures("jobs_in_process")  # no picture here is looked at


WEIGHED = {"label_smoothing": 0.1, "class_weight": {"0": 2, "2": 0.5}, "patience": 6}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eject")
    npz = small.write_npz(folder / "data.npz", train=300, test=300)
    rate = [{"epochs": 5, "constant": 0.03}, {"exponential": {"start": 0.03, "rate": -0.1}}]
    models = {
        "linear": {"layers": []},
        "mlp": {"layers": [{"dense": 24}, {"activation": "relu"}]},
        "weighed": {"layers": [{"random_contrast": 0.3}], "training": WEIGHED},
    }
    training = {"epochs": 20, "batch_size": 16, "optimizer": {"adam": {"learning_rate": rate}}}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BAKEOFF_HOME", str(folder / "home"))
        patched.chdir(folder)
        return run(
            small.declare(npz, models=models, training=training, seeds=3),
            out=folder / "s",
            workers=1,
        )


@pytest.fixture(scope="module")
def ejected(study, tmp_path_factory):
    """Return two scripts and a notebook."""
    folder = tmp_path_factory.mktemp("ejected")
    return [
        eject(study.folder, model, out=folder / model, notebook=model == "mlp").program
        for model in ("linear", "mlp", "weighed")
    ]


@pytest.fixture(scope="module")
def lines(ejected):
    """Return what the scripts and the notebook's cells print, run in one process, by model."""
    script, notebook, weighed = ejected
    cells = json.loads(notebook.read_bytes())["cells"]
    assert cells[0]["source"].startswith("# small: mlp, trained in plain Keras")
    program = notebook.with_name("cells.py")
    code = [each["source"] for each in cells if each["cell_type"] == "code"]
    program.write_text("\n".join(code), encoding="utf-8")
    told = printed([script, program, weighed])
    return dict(zip(("linear", "mlp", "weighed"), map(str.splitlines, told), strict=True))


@pytest.mark.parametrize("model", ["linear", "mlp", "weighed"])
def test_it_trains_as_the_study_did(study, lines, model):
    lines = lines[model]
    assert [line.split(":")[0] for line in lines[:3]] == ["seed 0", "seed 1", "seed 2"]
    found = [float(line.split()[-1]) for line in lines[:3]]
    expected = next(each for each in study.comparison.models if each.name == model)
    assert np.mean(found) == pytest.approx(expected.accuracy.mean, abs=0.06)
    assert expected.accuracy.mean > 0.6  # of three classes: both have learned


def _prepared(tmp_path, models, **changes):
    npz = small.write_npz(tmp_path / "data.npz")
    folder = StudyFolder(tmp_path / "study")
    prepare(small.declare(npz, models=models, **changes), folder, device="cpu")
    return folder


def _built(text):
    """Run only the function that builds the network, with Keras."""
    return _function(text, "build")()


def _function(text, name, **scope):
    """Return one function of a script."""
    from bakeoff.training.backend import keras

    tree = ast.parse(text)
    (function,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
    scope |= {"keras": keras, "np": np}
    exec(ast.unparse(function), scope)
    return scope[name]


def _told(model):
    def plain(layer):
        config = layer.get_config()
        return type(layer).__name__, {
            key: value if not key.endswith("_initializer") else _initializer(layer, key)
            for key, value in config.items()
            if key not in ("name", "seed", "dtype", "build_config", "index", "place")
        }

    return [plain(layer) for layer in model.layers if type(layer).__name__ != "InputLayer"]


def _initializer(layer, key):
    used = getattr(layer, key)
    return (
        getattr(used, "name", None)
        or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(used).__name__).lower()
    )


@pytest.mark.parametrize("name", ["digits", "notebook-003", "fashion-best", "mnist-best"])
def test_the_network_is_the_study_s(name, tmp_path):
    declared = recipe.load(name)
    assert name in shipped()
    from bakeoff.use.graph_code import builder

    for model in declared.models.values():
        shape = (8, 8, 1) if declared.data == "digits" else (28, 28, 1)
        rebuilt = _built(builder(model, shape, 10))
        original = build(model, shape, 10, seed=0)
        assert rebuilt.count_params() == original.count_params()
        assert _told(rebuilt) == _told(original)


def test_learning_rates_and_settings(study, tmp_path):
    text = eject(study.folder, "mlp", out=tmp_path / "out").program.read_text(encoding="utf-8")
    scope = {}
    tree = ast.parse(text)
    (function,) = (n for n in tree.body if getattr(n, "name", "") == "learning_rate")
    exec("import math\n" + ast.unparse(function), scope)
    training = read_recipe(study.folder, study.folder.read_study()).training
    expected = training.optimizer.learning_rates(training.epochs)
    assert [scope["learning_rate"](e) for e in range(20)] == pytest.approx(list(expected))
    assert "restore_best_weights=True" in text and '"val_cross_entropy", mode="min"' in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("selection", "monitor", "mode"),
    [("best-accuracy", "val_accuracy", "max"), ("best-loss", "val_cross_entropy", "min")],
)
def test_every_phase_setting_and_choice_of_an_epoch_is_written_out(selection, monitor, mode):
    phases = [
        {"epochs": 2, "constant": 0.03},
        {"epochs": 3, "linear": {"start": 0.01, "end": 0.02}},
        {"epochs": 2, "exponential": {"start": 0.02, "rate": -0.3}},
        {"cosine": {"start": 0.1, "end": 0.001}},
    ]
    sgd = {"sgd": {"learning_rate": phases, "momentum": 0.9, "nesterov": True}}
    training = {"epochs": 12, "batch_size": 48, "optimizer": sgd}
    models = {"m": {"layers": [], "training": training}}
    raw = {"name": "x", "data": "digits", "selection": selection, "models": models}
    declared = recipe.parse(raw, origin="x", folder=Path())
    model, scope = declared.models["m"], {}
    optimizer = model.training.optimizer
    exec("import math\n" + ejecting._rates(optimizer, 12), scope)
    rates = [scope["learning_rate"](epoch) for epoch in range(12)]
    assert rates == pytest.approx(list(optimizer.learning_rates(12)))
    text = ejecting._training(declared, model)
    assert "keras.optimizers.SGD(learning_rate=learning_rate(0), " in text
    assert "momentum=0.9" in text and "nesterov=True" in text
    assert f'"{monitor}", mode="{mode}"' in text
    assert "LearningRateScheduler(lambda epoch, _: learning_rate(epoch))" in text
    data = {"input_shape": [8, 8, 1], "class_names": list("0123456789"), "maximum": 16}
    assert "\nBATCH_SIZE = 48" in ejecting._cells(declared, model, data)[0]


def test_a_loss_that_is_not_the_plain_one_is_the_study_s(ejected, rng):
    """Label smoothing, weights of classes and patience were refused; a contrast drawn otherwise."""
    from bakeoff.training.objective import training_loss

    text = ejected[2].read_text(encoding="utf-8")
    probabilities = rng.dirichlet(np.ones(3), 5).astype(np.float32)
    labels = np.array([0, 2, 1, 1, 0])
    loss = _function(text, "smoothed_cross_entropy")(labels[:, None], probabilities)
    options = TrainingOptions(label_smoothing=0.1)
    expected = training_loss(options, labels, probabilities, None)
    assert np.mean(loss) == pytest.approx(float(expected), rel=1e-6)
    assert 'CLASS_WEIGHT = {\n    0: 2.0,  # "0"\n    2: 0.5,  # "2"\n}\n' in text
    assert "class_weight=CLASS_WEIGHT," in text and "patience=6, restore_best_weights" in text
    assert "RandomContrast((0.3, 0.3), value_range=(0.0, 1.0))" in text


def test_balanced_classes_weigh_what_they_weigh_in_the_study():
    from bakeoff.training.objective import class_weights

    options = TrainingOptions(class_weight="balanced")
    (text,) = ejecting._loss_parts(options, ["a", "b"])
    labels = np.array([0, 1, 1, 1, 0, 0, 0])
    scope = {"np": np, "labels": labels, "train": np.arange(5)}
    exec(text, scope)
    expected = class_weights(options, None, labels[:5], 2)
    assert list(scope["CLASS_WEIGHT"].values()) == pytest.approx(expected.tolist())


def test_what_cannot_be_ejected(study, tmp_path):
    place = study.folder.path
    message = f"{place}: expected a model (linear, mlp, weighed), found 'cnn'"
    with pytest.raises(StudyError, match=f"^{re.escape(message)}$"):
        eject(study.folder, "cnn", out=tmp_path / "out")
    with pytest.raises(UsageError, match="expected a folder that is not there yet, found "):
        eject(study.folder, "mlp", out=tmp_path)
    builder = tmp_path / "own.py"
    builder.write_text("def build(shape, n): ...")
    folder = _prepared(tmp_path, {"mine": {"python": f"{builder}:build"}})
    with pytest.raises(StudyError, match=r"found one built by your own .*: it is a Keras script a"):
        eject(folder, "mine", out=tmp_path / "out")


def test_the_documentation_names_every_option_of_training_that_is_refused():
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    section = page.split("## `bakeoff eject STUDY`")[1].split("\n## ")[0]
    written_out = {"label_smoothing", "class_weight", "patience", "random_crop"}
    refused = {*TrainingOptions.model_fields, "use_ema"} - written_out
    assert set(re.findall(r"`(\w+)`", section)) & {*refused, *written_out} == refused


def test_a_script_that_cannot_be_written_leaves_no_folder(study, tmp_path):
    with largest_file(500), pytest.raises(StorageError, match="file too large"):
        eject(study.folder, "mlp", out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []  # a second try would be refused: it is there already


def test_a_backbone_of_keras_sees_what_it_saw_in_the_study(tmp_path, rng):
    head = {"backbone": "mobilenet_v2", "layers": [{"dense": {"units": 5, "activation": "relu"}}]}
    folder = _prepared(tmp_path, {"head": head})
    text = eject(folder, "head", out=tmp_path / "out").program.read_text(encoding="utf-8")
    call = """keras.applications.MobileNetV2(
    include_top=False, pooling="avg", input_shape=(SIDE, SIDE, 3)
)"""
    assert f"SIDE = 224\nbackbone = {call}\n" in text and "\nimages = features(images)\n" in text
    assert max(map(len, text.splitlines())) <= 100

    images = rng.integers(0, 256, (3, 6, 6, 1)).astype(np.uint8)
    features = _function(text, "features", SIDE=224, backbone=lambda pixels, training: pixels)
    seen = as_seen(images, 255.0, (224, 224, 3)) / 127.5 - 1
    np.testing.assert_allclose(features(images.astype("float32") / 255), seen, atol=1e-5)
    network = _built(text)
    assert network.input_shape == (None, 1280)
    assert network.count_params() == 1280 * 5 + 5 + 5 * 3 + 3


def test_backbones_that_a_script_cannot_use(tmp_path):
    changed = {"augment": [{"random_flip": "horizontal"}], "passes": 2}
    found = {
        "tuned": ({"trainable": True}, ", fine-tuned at a learning rate of its own"),
        "changed": (changed, " in several passes over changed images"),
    }
    models = {
        name: {"backbone": {"name": "mobilenet_v2", **said}} for name, (said, _) in found.items()
    }
    folder = _prepared(tmp_path, models)
    for name, (_, words) in found.items():
        message = (
            f"{name}: expected a frozen backbone of keras.applications, found mobilenet_v2{words}:"
        )
        with pytest.raises(StudyError, match=f"^{message} the script has no word for that; "):
            eject(folder, name, out=tmp_path / "out")


def test_every_optimizer_has_its_name_in_keras():
    from bakeoff.training.backend import keras

    assert all(hasattr(keras.optimizers, kind.__name__) for kind in OPTIMIZERS.values())


def test_cross_validation_is_not_ejected_as_one_split(tmp_path):
    """The script would train on the first fold alone, and call it the study."""
    mapping = {"name": "cv", "data": "digits", "split": {"folds": 2, "repeats": 3}}
    declared = recipe.parse(
        {**mapping, "models": {"m": {"layers": []}}}, origin="cv", folder=tmp_path
    )
    folder = prepare(declared, StudyFolder(tmp_path / "cv"), device="cpu").folder
    with pytest.raises(StudyError, match="found cross-validation: the script has no word for fol"):
        eject(folder, "m", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
