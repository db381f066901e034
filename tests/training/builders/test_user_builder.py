"""A model from the user's own Python function: it works, or one line says what is wrong with it.

Oracle: builders that do one thing wrong each.
Cost: 12 s, most of it the workers' starts. Run: pytest tests/training/builders/test_user_builder.py
"""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bakeoff
from bakeoff.errors import RecipeError, StudyError
from bakeoff.recipe import parse
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.training.backend import keras
from bakeoff.training.build_model import build
from tests.helpers.jobs import Listener
from tests.helpers.small import MODELS, carry_out

pytestmark = pytest.mark.usefixtures("module_home")

GOOD = """
import keras
print("a builder talks")

def sequential(input_shape, n_classes):
    return keras.Sequential([
        keras.Input(input_shape),
        keras.layers.Conv2D(3, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(n_classes, activation="softmax", kernel_regularizer="l2"),
    ])

def functional(input_shape, n_classes):
    image = keras.Input(input_shape)
    flat = keras.layers.Flatten()(image)
    wide = keras.layers.Dense(5, activation="relu")(flat)
    both = keras.layers.Concatenate()([flat, keras.layers.GaussianNoise(0.1)(wide)])
    return keras.Model(image, keras.layers.Dense(n_classes, activation="softmax")(both))

class Own(keras.Model):
    # its call does not take `training`, as in the quickstart of TensorFlow
    def __init__(self, n_classes):
        super().__init__()
        self.flat = keras.layers.Flatten()
        self.halved = keras.layers.Lambda(lambda x: x / 2)
        self.last = keras.layers.Dense(n_classes, activation="softmax")

    def call(self, images):
        return self.last(self.halved(self.flat(images)))

def subclassed(input_shape, n_classes):
    return Own(n_classes)
"""


def model(tmp_path, source, function="build"):
    (tmp_path / "mine.py").write_text(source)
    mapping = {
        "name": "test",
        "data": "digits",
        "models": {"mine": {"python": f"mine.py:{function}"}},
        "training": {"epochs": 1},
    }
    return parse(mapping, origin="test", folder=tmp_path).models["mine"]


@pytest.mark.usefixtures("its_jobs_in_process")
def test_builders_are_trained_tested_and_compared(npz, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(GOOD)
    names = ("sequential", "functional", "subclassed")
    models = {name: {"python": f"{file}:{name}"} for name in names}
    result = carry_out(npz, tmp_path / "study", models=models, baselines=["majority"])
    assert {m.name: m.parameters for m in result.comparison.models} == {
        "sequential": 3 * 10 + 3 * (12 + 1),
        "functional": 5 * 37 + 3 * (36 + 5 + 1),
        "subclassed": 3 * 37,
    }
    assert result.lost == ()
    folder = StudyFolder(tmp_path / "study")
    for name in names:
        first, second = (
            np.load(folder.openings()[0] / name / f"seed-{seed}.npy") for seed in (0, 1)
        )
        assert (first != second).any()


def test_a_builders_seed_is_the_trials(tmp_path):
    declared = model(tmp_path, GOOD, "sequential")
    first, again, other = (
        build(declared, (8, 8, 1), 10, seed=seed).get_weights() for seed in (3, 3, 4)
    )
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_a_file_that_is_missing_is_named_before_anything_is_trained(npz, tmp_path):
    file = tmp_path / "none.py"
    text = (
        "models.mine.python: expected a Python file and a function in it (my_models.py:build), "
        f"found no file {file}"
    )
    with pytest.raises(RecipeError, match=f"^{re.escape(text)}$"):
        carry_out(npz, tmp_path / "study", models={"mine": {"python": f"{file}:build"}})
    assert not (tmp_path / "study").exists()


SOFTMAX = "keras.layers.Dense(10, activation='softmax')"
WRONG = {
    "x = 1": "{file}:build: expected a function build in {file}, found none",
    "build = 1": "{file}:build: expected a function build in {file}, found none",
    "1 / 0": "{file} raised ZeroDivisionError: division by zero",
    "def build(": "{file} raised SyntaxError: '(' was never closed (mine.py, line 1)",
    "import nonesuch": "{file} raised ModuleNotFoundError: No module named 'nonesuch'",
    "def build(s, n): raise KeyError('no\\nluck')": "{file}:build raised KeyError: 'no\\nluck'",
    "def build(): pass": "{file}:build: expected a function of two arguments, (input_shape, "
    "n_classes), found build(): give it these two, and others a default",
    "import sys; sys.exit('set DATA first')": "{file} raised SystemExit: set DATA first",
    "def build(s, n): raise SystemExit(3)": "{file}:build raised SystemExit: 3",
    "def build(s, n): assert s[0] == 28": "{file}:build raised AssertionError",
    "import jax, numpy\ndef build(s, n): jax.jit(numpy.asarray)(1.0)": "{file}:build raised "
    "TracerArrayConversionError: its code asks tensors for their values (by NumPy, float() or if), "
    "which they do not have while it is compiled: use keras.ops",
    "def build(s, n): raise ValueError('\\x1b[1mloud\\x1b[0m')": "{file}:build raised ValueError: "
    "loud",
    "def build(s, n): pass": "{file}:build: expected a keras.Model, found NoneType: let the "
    "function return the model",
    "import keras\ndef build(s, n):\n i = keras.Input(s); x = keras.layers.Flatten()(i)\n"
    " return keras.Model(i, [keras.layers.Dense(n, activation='softmax')(x), x])": "{file}:build: "
    "expected a model whose output is a softmax, found a collection of 2: give keras.Model the "
    "softmax alone",
    "import keras\ndef build(s, n):\n return keras.Sequential([keras.Input(s), "
    "keras.layers.Flatten(), keras.layers.Dense(n + 1, activation='softmax')])": "{file}:build: "
    "expected a model whose output is a softmax of width 10, found an output of shape (11,): end "
    "it with keras.layers.Dense(10, activation='softmax')",
    "import keras\ndef build(s, n):\n return keras.Sequential([keras.Input(s), "
    "keras.layers.Flatten(), keras.layers.Dense(n, bias_initializer='ones')])": "{file}:build: "
    "expected a model whose output is a softmax of width 10, found 10 values that are no softmax: "
    "end it with keras.layers.Dense(10, activation='softmax')",
}


@pytest.mark.parametrize("source", WRONG)
def test_a_builder_that_is_wrong_is_a_line(tmp_path, source):
    declared = model(tmp_path, source)
    text = WRONG[source].format(file=tmp_path / "mine.py")
    with pytest.raises(RecipeError, match=f"^{re.escape(text)}$") as caught:
        build(declared, (8, 8, 1), 10, seed=0)
    assert caught.value.exit_code == 2


@pytest.mark.usefixtures("its_jobs_in_process")
def test_a_wrong_builder_stops_the_study_with_that_line(npz, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def build(input_shape, n_classes):\n    return 7\n")
    models = {"mine": {"python": f"{file}:build"}}
    text = f"{file}:build: expected a keras.Model, found int: let the function return the model"
    with pytest.raises(RecipeError, match=f"^{re.escape(text)}$"):
        carry_out(npz, tmp_path / "study", models=models)
    assert StudyFolder(tmp_path / "study").finished() == {}


def test_a_builder_that_kills_its_process_costs_its_own_trials(npz, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("import os\ndef build(input_shape, n_classes):\n    os._exit(9)\n")
    models = {"mine": {"python": f"{file}:build"}, "linear": MODELS["linear"]}
    listener = Listener()
    result = carry_out(npz, tmp_path / "study", models=models, watcher=listener)
    assert [(lost.label, lost.reason) for lost in sorted(result.lost, key=str)] == [
        (f"mine seed {seed}", "its worker process ended with code 9") for seed in (0, 1)
    ]
    with pytest.raises(StudyError, match="found mine:0 and mine:1 missing: nothing was opened"):
        _ = result.comparison
    assert not StudyFolder(tmp_path / "study").openings()
    assert listener.of("started").count("mine seed 0") == 2
    assert StudyFolder(tmp_path / "study").finished() == {"linear": [0, 1]}


# ── from Python ──────────────────────────────────────────────────────────────────────────────


def from_here(input_shape, n_classes):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )


def test_a_function_is_found_again_by_its_file():
    study = bakeoff.Study("mine", data="digits", models={"mine": from_here}, seeds=range(2))
    assert study.recipe.models["mine"].python == f"{Path(__file__).resolve()}:from_here"
    assert study.recipe.seeds == (0, 1)


def test_a_function_may_stand_where_a_recipe_names_it():
    """It was called "a mapping"."""
    model = {"python": from_here, "training": {"epochs": 3}}
    study = bakeoff.Study("mine", data="digits", models={"mine": model})
    assert study.recipe.models["mine"].python == f"{Path(__file__).resolve()}:from_here"
    assert study.recipe.models["mine"].training.epochs == 3


@pytest.mark.parametrize(
    ("builder", "name"),
    [(lambda s, n: None, "<lambda>"), (keras.Sequential, "Sequential"), (len, "len")],
)
def test_a_function_that_workers_could_not_find_is_refused(builder, name):
    text = (
        f"models: expected a function defined at the top of a Python file, found {name!r}: put "
        "it in a file, since worker processes import it from there"
    )
    with pytest.raises(RecipeError, match=f"^{re.escape(text)}$"):
        bakeoff.Study("mine", data="digits", models={"mine": builder})


def test_a_finished_keras_model_is_no_model_of_a_study():
    text = (
        "models: expected layers as in a recipe, or a function build(input_shape, n_classes) in a "
        "file, found a finished Sequential model: return it from such a function, since every "
        "seed begins with a new one"
    )
    with pytest.raises(RecipeError, match=f"^{re.escape(text)}$"):
        bakeoff.Study("mine", data="digits", models={"mine": keras.Sequential()})


UNGUARDED = """
import sys, bakeoff
from bakeoff.utils.events import Watcher

def build(input_shape, n_classes):
    return None

study = bakeoff.Study("plain", data={"npz": sys.argv[1]}, models={"mine": build}, seeds=1)
study.run(out="study", watcher=Watcher())
"""


def test_a_script_with_its_own_builder_is_told_of_the_main_guard(npz, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, script, str(npz)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stderr.splitlines()[-1] == (
        f"bakeoff.errors.RecipeError: {script} raised StudyError: expected a builder's file that "
        "only defines things, found one that runs a study when it is imported: put `if __name__ "
        "== '__main__':` before the run, or the builder into another file"
    )
    assert done.stderr.count("Traceback") == 1


def test_a_builder_for_images_of_another_size_is_refused_in_one_line(tmp_path):
    file = tmp_path / "wrong.py"
    file.write_text(
        "import keras\n"
        "def build(input_shape, n_classes):\n"
        "    inputs = keras.Input((5,))\n"
        "    return keras.Model(inputs, keras.layers.Dense(n_classes, 'softmax')(inputs))\n"
    )
    mapping = {"name": "w", "data": "digits", "models": {"m": {"python": f"{file}:build"}}}
    model = parse(mapping, origin="w", folder=tmp_path).models["m"]
    with pytest.raises(
        RecipeError, match="expected a model of 8 × 8 × 1 images, found one"
    ) as error:
        build(model, (8, 8, 1), 10, seed=0)
    assert "\n" not in str(error.value)


HALF = """
import keras
keras.mixed_precision.set_global_policy("mixed_bfloat16")

def build(input_shape, n_classes):
    last = keras.layers.Dense(n_classes, "softmax", dtype="float32")
    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), last])
"""


def test_what_a_builder_sets_in_keras_is_not_for_the_models_after_it(tmp_path):
    half = build(model(tmp_path, HALF), (8, 8, 1), 10, seed=0)
    assert [layer.compute_dtype for layer in half.layers] == ["bfloat16", "float32"]
    declared = {"name": "w", "data": "digits", "models": {"m": {"layers": [{"dense": 4}]}}}
    after = build(parse(declared, origin="w", folder=tmp_path).models["m"], (8, 8, 1), 10, seed=0)
    assert {layer.compute_dtype for layer in after.layers} == {"float32"}
