"""`bakeoff eject`: a plain Keras script, or notebook, that trains a model without Bakeoff.

The network, its training, the split and the choice of the epoch are the study's. What is drawn at
random (first weights, the order of the images, dropout) is drawn by Keras, so seeds give other
numbers of the same kind.
"""

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.data import DataSet, load
from bakeoff.errors import StudyError, UsageError
from bakeoff.recipe import ModelRecipe, Optimizer, Recipe
from bakeoff.recipe.learning_rate import phase_lengths
from bakeoff.recipe.vocabulary.backbones import BACKBONES
from bakeoff.recipe.vocabulary.optimizers import OPTIMIZERS
from bakeoff.recipe.vocabulary.training import BALANCED, TrainingOptions
from bakeoff.storage import atomic, formats
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import read_recipe
from bakeoff.study.create.load_split import require_data
from bakeoff.use import graph_code

_PUBLISHED = {"mnist": "mnist", "fashion-mnist": "fashion_mnist"}
_MONITOR = {
    "best-loss": ("val_cross_entropy", "min", "lowest validation loss"),
    "best-accuracy": ("val_accuracy", "max", "highest validation accuracy"),
}


@dataclass(frozen=True)
class Ejected:
    """The folder that was written, and the script or notebook in it."""

    folder: Path
    program: Path


def eject(
    folder: StudyFolder, model: str, *, out: str | Path | None = None, notebook: bool = False
) -> Ejected:
    """Write a folder with a script that trains a model as the study did, and what it reads.

    Parameters
    ----------
    model : its name in the study
    out : the folder, which must not exist; NAME-MODEL here by default
    notebook : write a notebook instead of a script

    Raises
    ------
    StudyError : no such model, one of the user's own code, or one with a layer, a backbone or a
        way of training that the script does not have
    DataError : the data set is no published one and cannot be read
    """
    study = folder.read_study()
    recipe = read_recipe(folder, study)
    declared = _declared(folder, recipe, model)
    target = Path(out) if out is not None else Path(f"{recipe.name}-{model}")
    if target.exists():
        raise UsageError(f"--out: expected a folder that is not there yet, found {target}")
    files = {"split.npz": atomic.read_file(folder.split_file)}
    if formats.sha256(files["split.npz"]) != study["split_file"]:
        raise formats.damaged(folder.split_file)
    if not isinstance(recipe.data, str):
        require_data(folder, recipe)
        files["data.npz"] = _data_file(load(recipe.data, offline=True), study)
    cells = _cells(recipe, declared, study["data"])
    name = "train.ipynb" if notebook else "train.py"
    files[name] = _notebook(cells) if notebook else _script(cells)
    with atomic.whole_folder(target) as scratch:
        for file, content in files.items():
            atomic.write_file(scratch / file, content)
    return Ejected(target, target / name)


def _declared(folder: StudyFolder, recipe: Recipe, name: str) -> ModelRecipe:
    """Return the model of that name; StudyError where a script cannot train it as the study did."""
    if name not in recipe.models:
        known = ", ".join(recipe.models)
        raise StudyError(f"{folder.path}: expected a model ({known}), found {name!r}")
    model = recipe.models[name]
    if model.python is not None:
        raise StudyError(
            f"{name}: expected a model that the recipe declares, found one built by your own "
            f"{model.python}: it is a Keras script already"
        )
    if recipe.split.folds is not None:
        raise StudyError(
            f"{folder.path}: expected a study with one split, found cross-validation: the script "
            "has no word for folds yet"
        )
    _require_plain(model)
    _require_known_backbone(model)
    return model


def _require_plain(model: ModelRecipe) -> None:
    """Refuse what the script would train otherwise than the study did."""
    unlike = [name for name in model.training.options.unusual() if name == "mixup"]
    unlike += ["use_ema"] if model.training.optimizer.arguments.get("use_ema") else []
    if unlike:
        raise StudyError(
            f"{model.name}: expected a model that a plain script trains as the study did, found "
            f"{', '.join(unlike)}: the script has no word for that yet"
        )


def _require_known_backbone(model: ModelRecipe) -> None:
    """Refuse a backbone that Keras does not have, or that is not used as Keras has it."""
    backbone = model.backbone
    if backbone is None:
        return
    known = BACKBONES.get(backbone.name or "")
    if known is None or known.keras is None:
        found = f"{backbone.label}, which keras.applications does not have"
    elif backbone.trains:
        found = f"{backbone.label}, fine-tuned at a learning rate of its own"
    elif backbone.augment:
        found = f"{backbone.label} in several passes over changed images"
    else:
        return
    raise StudyError(
        f"{model.name}: expected a frozen backbone of keras.applications, found {found}: the "
        "script has no word for that; bakeoff export --format keras writes the trained network, "
        "its backbone included"
    )


def _data_file(data: DataSet, study: Mapping[str, Any]) -> bytes:
    if data.hash != study["data"]["hash"]:
        raise StudyError(
            f"{data.name}: expected the images that the study was made with, found others: bring "
            "them back to where the recipe says"
        )
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, images=data.images, labels=data.labels)
    return buffer.getvalue()


# ── the program, cell by cell ────────────────────────────────────────────────────────────────


def _cells(recipe: Recipe, model: ModelRecipe, data: Mapping[str, Any]) -> list[str]:
    training = model.training
    rates = _rates(training.optimizer, training.epochs)
    imports = "import math\nimport os" if "math." in rates else "import os"
    more = "\nfrom sklearn.datasets import load_digits" if recipe.data == "digits" else ""
    head = f'''"""{recipe.name}: {model.name}, trained in plain Keras as Bakeoff trained it.

It needs NumPy, Keras 3.15 or newer and one of its backends{_needs(recipe)}.
Seeds draw other numbers here than in Bakeoff: single results differ by chance, their means little.
"""

{imports}

os.environ.setdefault("KERAS_BACKEND", "jax")  # or torch, or tensorflow

import keras
import numpy as np{more}

SEEDS = {tuple(recipe.seeds)!r}
EPOCHS = {training.epochs}
BATCH_SIZE = {training.batch_size}'''
    seen = [] if model.frozen_backbone is None else [_features(model.frozen_backbone, data)]
    return [
        head,
        _loading(recipe, data),
        *seen,
        graph_code.builder(model, tuple(data["input_shape"]), len(data["class_names"])),
        rates,
        *_loss_parts(model.training.options, data["class_names"]),
        _training(recipe, model),
        _RUNNING,
    ]


def _needs(recipe: Recipe) -> str:
    return ", and scikit-learn for the images" if recipe.data == "digits" else ""


def _loading(recipe: Recipe, data: Mapping[str, Any]) -> str:
    shape = ", ".join(str(side) for side in data["input_shape"])
    if recipe.data == "digits":
        load = """images, labels = load_digits(return_X_y=True)"""
    elif isinstance(recipe.data, str):
        name = _PUBLISHED[recipe.data]
        load = f"""(images, labels), (more_images, more_labels) = keras.datasets.{name}.load_data()
images = np.concatenate([images, more_images])
labels = np.concatenate([labels, more_labels])"""
    else:
        load = """data = np.load("data.npz")
images, labels = data["images"], data["labels"]"""
    return f"""# The images, scaled to [0, 1], and the study's split.
{load}
images = images.reshape(-1, {shape}).astype("float32") / {data["maximum"]:g}
split = np.load("split.npz")
train, validation, test = split["train"], split["validation"], split["test"]"""


def _features(backbone: str, data: Mapping[str, Any]) -> str:
    known = BACKBONES[backbone]
    channels = ""
    if data["input_shape"][2] == 1:
        channels = "\n        pixels = keras.ops.repeat(pixels, 3, axis=-1)"
    return f"""# What {known.keras} sees in each image, computed once; it was trained on ImageNet.
SIDE = {known.side}
backbone = keras.applications.{known.keras}(
    include_top=False, pooling="avg", input_shape=(SIDE, SIDE, 3)
)


def features(images):
    \"\"\"Return the backbone's features of images of pixels in [0, 1].\"\"\"
    found = []
    for start in range(0, len(images), 32):
        pixels = 255 * images[start : start + 32]{channels}
        pixels = keras.ops.image.resize(pixels, (SIDE, SIDE), antialias=True)
        pixels = keras.applications.{known.module}.preprocess_input(pixels)
        found.append(keras.ops.convert_to_numpy(backbone(pixels, training=False)))
    return np.concatenate(found)


images = features(images)"""


def _number(value: float) -> str:
    return repr(float(value))


def _rates(optimizer: Optimizer, epochs: int) -> str:
    lengths = phase_lengths(optimizer.learning_rate, epochs)
    lines, start = [], 0
    for phase, length in zip(optimizer.learning_rate, lengths, strict=True):
        last = start + length >= epochs
        k = "epoch" if start == 0 else f"(epoch - {start})"
        first = _number(phase.start)
        way = f"{k} / {length - 1}" if length > 1 else "1.0"
        end = _number(phase.end or 0.0)
        rate = {
            "constant": first,
            "exponential": f"{first} * math.exp({_number(phase.rate or 0.0)} * {k})",
            "linear": f"{first} + ({end} - {first}) * {way}",
            "cosine": f"{end} + ({first} - {end}) * (1 + math.cos(math.pi * {way})) / 2",
        }[phase.kind]
        lines.append(f"    return {rate}" if last else f"    if epoch < {start + length}:")
        if not last:
            lines.append(f"        return {rate}")
        start += length
    body = "\n".join(lines)
    return f'''def learning_rate(epoch):
    """Return the learning rate of an epoch; the first is 0."""
{body}'''


def _loss_parts(options: TrainingOptions, class_names: Sequence[str]) -> list[str]:
    """Return what a loss that is not the plain one needs: weights of classes, smoothed labels."""
    parts, declared = [], options.class_weight
    if declared == BALANCED:
        parts.append("""# An image counts the more, the rarer its class is in training.
counts = np.bincount(labels[train])
CLASS_WEIGHT = {each: len(train) / (len(counts) * n) for each, n in enumerate(counts)}""")
    elif isinstance(declared, Mapping):
        lines = "".join(
            f"    {number}: {declared[name]!r},  # {json.dumps(name, ensure_ascii=False)}\n"
            for number, name in enumerate(class_names)
            if name in declared
        )
        parts.append(
            f"# How much an image of a class counts; of others 1.\nCLASS_WEIGHT = {{\n{lines}}}"
        )
    if options.label_smoothing:
        parts.append(f'''def smoothed_cross_entropy(labels, probabilities):
    """Return the loss with {options.label_smoothing!r} of every label spread over all classes."""
    labels = keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32")
    return keras.losses.categorical_crossentropy(
        keras.ops.one_hot(labels, {len(class_names)}),
        probabilities,
        label_smoothing={options.label_smoothing!r},
    )''')
    return parts


def _training(recipe: Recipe, model: ModelRecipe) -> str:
    options = model.training.options
    optimizer = model.training.optimizer
    usual = OPTIMIZERS[optimizer.kind]().plain()
    given = {key: value for key, value in optimizer.arguments.items() if usual.get(key) != value}
    settings = ", ".join(
        ["learning_rate=learning_rate(0)", *(f"{key}={value!r}" for key, value in given.items())]
    )
    callbacks = ["keras.callbacks.LearningRateScheduler(lambda epoch, _: learning_rate(epoch))"]
    why = "of the last epoch"
    if recipe.selection in _MONITOR:
        monitor, mode, words = _MONITOR[recipe.selection]
        why = f"of the epoch with the {words}"
        callbacks.append(
            f'keras.callbacks.EarlyStopping(\n                "{monitor}", mode="{mode}", '
            f"patience={options.patience or 'EPOCHS'}, restore_best_weights=True\n            )"
        )
    listed = "".join(f"\n            {each}," for each in callbacks)
    validating = ""
    if recipe.split.validation.amount:
        validating = "\n        validation_data=(images[validation], labels[validation]),"
    weighing = "\n        class_weight=CLASS_WEIGHT," if options.class_weight else ""
    plain, smoothed = '"sparse_categorical_crossentropy"', "smoothed_cross_entropy"
    return f'''def train_one(seed):
    """Train with a seed; keep the weights {why}."""
    keras.utils.set_random_seed(seed)
    model = build()
    model.compile(
        optimizer=keras.optimizers.{OPTIMIZERS[optimizer.kind].__name__}({settings}),
        loss={smoothed if options.label_smoothing else plain},
        metrics=[
            "accuracy",
            keras.metrics.SparseCategoricalCrossentropy(name="cross_entropy"),
        ],
    )
    model.fit(
        images[train],
        labels[train],
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,{validating}{weighing}
        callbacks=[{listed}
        ],
        verbose=0,
    )
    return model'''


_RUNNING = """accuracies = []
for seed in SEEDS:
    model = train_one(seed)
    predicted = model.predict(images[test], verbose=0).argmax(axis=1)
    accuracies.append(float((predicted == labels[test]).mean()))
    print(f"seed {seed}: test accuracy {accuracies[-1]:.4f}", flush=True)
print(f"mean of {len(SEEDS)} seeds: {np.mean(accuracies):.4f}")"""


def _script(cells: list[str]) -> bytes:
    return ("\n\n\n".join(cells) + "\n").encode()


def _notebook(cells: list[str]) -> bytes:
    """Return the cells as a Jupyter notebook, the docstring of the first as its title."""
    match = re.fullmatch(r'"""(.*?)"""\n\n(.*)', cells[0], re.S)
    assert match is not None
    title, first = match.groups()
    document = {
        "cells": [
            {
                "cell_type": "markdown",
                "id": "title",
                "metadata": {},
                "source": f"# {title.strip()}",
            },
            *(
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": source,
                }
                for number, source in enumerate([first, *cells[1:]])
            ),
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
