"""What a recipe asks for before anything is trained: layers, shapes, counts, a rough estimate.

The data is loaded and split as a run would, so that whatever is wrong with it is said now.
"""

from __future__ import annotations

import math
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bakeoff.analysis.power import about_power, detectable
from bakeoff.data import DataSet, about_pixels
from bakeoff.data.folds import Folds
from bakeoff.data.split import Split
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.architecture import (
    BACKBONE,
    Architecture,
    LayerShape,
    describe,
    meant_as_output,
    training_bytes,
)
from bakeoff.recipe.search_space import most_settings, short_names
from bakeoff.recipe.vocabulary.backbones import BACKBONES
from bakeoff.recipe.vocabulary.builder_remarks import MEANINGS
from bakeoff.recipe.vocabulary.training import option_words
from bakeoff.study.cluster_plan import ClusterPlan, cluster_plan
from bakeoff.study.cost import COMPILING, START, feature_seconds, makespan, trial_seconds
from bakeoff.study.create import load_split
from bakeoff.study.executors.worker_count import WORKER_BYTES
from bakeoff.study.model_identity import identity
from bakeoff.study.optimizer_words import optimizer_words
from bakeoff.study.samplers import limit
from bakeoff.study.stages import seeds_in_words, sizes
from bakeoff.study.study_backbones import with_study_backbones
from bakeoff.training.native.load import choose
from bakeoff.utils.machine import available_memory, cores, default_device, measured_rate
from bakeoff.utils.text import counted, duration, listed

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class ModelPlan:
    """One model; what only Keras could say of a Python builder is None."""

    recipe: ModelRecipe
    architecture: Architecture | None
    seconds: float | None  # of one network
    memory: int | None  # bytes, of one network
    remarks: tuple[str, ...] = ()  # what is strange about the model, in sentences
    networks: int = 1  # of one trial: one a fold

    @property
    def seconds_per_trial(self) -> float | None:
        """The time of all of a trial's networks, as a finished study says it."""
        return None if self.seconds is None else self.seconds * self.networks


@dataclass(frozen=True)
class Plan:
    """A recipe, checked; seconds and bytes are rough, and None if a model's layers are unknown."""

    recipe: Recipe
    data: DataSet
    split: Split | Folds
    models: tuple[ModelPlan, ...]
    workers: int
    device: str
    rate: float  # operations a second of one core
    seconds: float | None
    memory: int | None
    cluster: ClusterPlan | None = None  # where it is planned for; None: this machine

    @property
    def trials(self) -> int:
        """How many trials the recipe asks for."""
        return len(self.models) * len(self.recipe.seeds)

    @property
    def networks(self) -> int:
        """How many networks are trained: one a trial, or one a fold of each."""
        return self.trials * (self.recipe.split.folds or 1)


def plan(recipe: Recipe, *, on: str | None = None) -> Plan:
    """Return what carrying out `recipe` means, for the CPU of this machine.

    on : "ray" or "ray://HOST:PORT", for a Ray cluster instead

    Raises
    ------
    DataError, RecipeError
        As a run would: the data cannot be loaded or split, a model's shapes do not fit.
    UsageError, StudyError
        There is no such cluster, or one of other versions.
    """
    recipe = with_study_backbones(recipe)
    data, split = load_split(recipe)
    for model in recipe.models.values():
        identity(model, recipe)  # refuses a builder's file that is not there
        if model.layers is not None:
            describe(model, data.input_shape, data.n_classes)
    cluster = None if on is None else cluster_plan(on)
    rate = (cluster.rate if cluster else None) or measured_rate()
    workers = cores() if cluster is None else cluster.workers
    models = tuple(_model(each, data, split, rate) for each in recipe.models.values())
    each = len(recipe.seeds) * (recipe.split.folds or 1)
    seconds = _total_seconds(models, each, workers, rate) if workers else None
    if seconds is not None:
        seconds += _search_seconds(models, workers, rate)
        trained = None if isinstance(split, Folds) else len(split.train)
        seconds += feature_seconds(recipe, len(data.images), rate, training=trained) / workers
    memory = _total_memory(models, data, min(workers, len(models) * each))
    return Plan(
        recipe,
        data,
        split,
        models,
        workers,
        default_device(),
        rate,
        seconds,
        memory if cluster is None else None,
        cluster,
    )


def _model(model: ModelRecipe, data: DataSet, split: Split | Folds, rate: float) -> ModelPlan:
    if model.python is not None:
        return ModelPlan(model, None, None, None, _built(model.python, data))
    architecture = describe(model, data.input_shape, data.n_classes)
    images, validation = len(split.train), len(split.validation)
    seconds = trial_seconds(model, architecture, images=images, validation=validation, rate=rate)
    memory = training_bytes(model, architecture) + data.images[0].nbytes * (images + validation)
    remarks = meant_as_output(model, architecture.layers, data.n_classes)
    networks = split.n_folds if isinstance(split, Folds) else 1
    return ModelPlan(model, architecture, seconds, memory, remarks, networks)


def _built(python: str, data: DataSet) -> tuple[str, ...]:
    """Build a Python builder's model, trained by nobody, and return what is strange about it."""
    from bakeoff.training import builder_checks

    with redirect_stdout(sys.stderr):  # a builder may talk; the plan alone stands on stdout
        codes = builder_checks.remarks(python, data.input_shape, data.n_classes)
    return tuple(MEANINGS[code] for code in codes)


def _total_seconds(
    models: tuple[ModelPlan, ...], seeds: int, workers: int, rate: float
) -> float | None:
    """Return the length of the run: the longest trials first, each to the first free worker."""
    lengths: list[float] = []
    for model in sorted(models, key=lambda each: -(each.seconds or 0.0)):
        if model.seconds is None:
            return None
        lengths += [COMPILING / rate + model.seconds, *[model.seconds] * (seeds - 1)]
    return START / rate + makespan(lengths, workers=workers)


def _search_seconds(models: tuple[ModelPlan, ...], workers: int, rate: float) -> float:
    """Return how long the searches take, each setting as long as the one that is looked at."""
    total = 0.0
    for model in models:
        if (search := model.recipe.search) is not None:
            one = COMPILING / rate + (model.seconds or 0.0)
            most = math.inf if search.minutes is None else 60 * search.minutes + one
            total += min(limit(search) * one / workers, most)
    return total


def _total_memory(models: tuple[ModelPlan, ...], data: DataSet, workers: int) -> int | None:
    largest = [model.memory for model in models if model.memory is not None]
    if len(largest) < len(models):
        return None
    return 2 * data.images.nbytes + workers * (WORKER_BYTES + max(largest))


# ── as JSON ──────────────────────────────────────────────────────────────────────────────────


def to_json(plan: Plan) -> dict[str, Any]:
    """Return what `bakeoff plan --json` prints: plain data."""
    recipe, data, n_test = plan.recipe, plan.data, len(plan.split.test)
    return {
        "study": recipe.name,
        "title": recipe.title,
        "data": {
            "name": data.name,
            **{name: len(part) for name, part in plan.split.parts().items()},
            "hash": data.hash,
            "input_shape": list(data.input_shape),
            "class_names": list(data.class_names),
            "maximum": data.maximum,
            "notes": list(data.notes),
        },
        "seeds": list(recipe.seeds),
        "selection": recipe.selection,
        "baselines": list(recipe.baselines),
        "trials": plan.trials,
        "folds": recipe.split.folds,
        "networks": plan.networks,
        "detectable_difference": detectable(n_test, *sizes(recipe)),
        "models": [_model_json(model) for model in plan.models],
        "estimate": {
            "device": "cpu",
            "workers": plan.workers,
            **(plan.cluster.to_json() if plan.cluster else {}),
            "operations_per_second": plan.rate,
            "seconds": plan.seconds,
            "memory_bytes": plan.memory,
        },
    }


def _model_json(model: ModelPlan) -> dict[str, Any]:
    training, known = model.recipe.training, model.architecture
    return {
        "name": model.recipe.name,
        "parameters": known and known.parameters,
        "trainable_parameters": known and known.trainable_parameters,
        "flops_per_image": known and known.flops_per_image,
        "layers": known
        and [
            {
                "name": layer.name,
                "kind": layer.kind,
                "arguments": layer.arguments,
                "output_shape": list(layer.output_shape),
                "parameters": layer.parameters,
                "trainable_parameters": layer.trainable_parameters,
                "added": layer.added,
                "depth": layer.depth,
            }
            for layer in known.layers
        ],
        "python": model.recipe.python,
        "remarks": list(model.remarks),
        "epochs": training.epochs,
        "batch_size": training.batch_size,
        "optimizer": training.optimizer.resolved(),
        "options": training.options.plain(),
        "learning_rates": training.optimizer.learning_rates(training.epochs).tolist(),
        "seconds_per_trial": model.seconds_per_trial,
        "memory_bytes": model.memory,
    }


# ── for people ───────────────────────────────────────────────────────────────────────────────


def view(plan: Plan) -> list[RenderableType]:
    """Return the plan for rich to print, one part after the other."""
    from rich.text import Text

    recipe = plan.recipe
    parts: list[RenderableType] = [Text(recipe.title or recipe.name, style="bold")]
    parts += [_about_data(plan), *plan.data.notes, _about_trials(plan)]
    if not recipe.split.folds:
        parts.append(about_power(len(plan.split.test), *sizes(recipe)))
    for model in plan.models:
        parts += ["", Text(f"{model.recipe.name}: {_size(model)}", style="bold")]
        if model.architecture is not None:
            parts.append(_layers(model.architecture))
        if model.recipe.python is not None:
            parts += _about_builder(plan)
        parts += [f"  Warning: {each}" for each in model.remarks]
        parts.append(f"  {_training(model, plan)}")
        parts += [f"  {each}" for each in _searched(model.recipe)]
    return [*parts, "", *_estimate(plan)]


def _searched(model: ModelRecipe) -> list[str]:
    """Say what a model leaves open; what stands above is one of its settings."""
    search = model.search
    if search is None:
        return []
    names = short_names(search.dimensions)
    choices = [f"{names[each.place]}: {each.range_words}" for each in search.dimensions]
    most, count = most_settings(search.dimensions) or search.settings, limit(search)
    few = f", of {most} that there are (grid tries each once)" if most < count else ""
    until = "" if search.minutes is None else f", none begun after {search.minutes:g} min"
    return [
        f"searched before, on validation: {'at most ' * bool(until)}{counted(count, 'setting')} "
        f"({search.sampler}){few}{until}; above stands one of them",
        *(f"  {each}" for each in choices),
    ]


def _about_data(plan: Plan) -> str:
    sizes = [f"{len(part):,} {name}" for name, part in plan.split.parts().items()]
    if plan.recipe.split.folds:
        sizes = [f"{len(plan.split.test):,}"]
    shape = "×".join(str(side) for side in plan.data.input_shape)
    return (
        f"{plan.data.name}: {listed(sizes)} images of {shape}, "
        f"{counted(plan.data.n_classes, 'class', 'classes')}; {about_pixels(plan.data.maximum)}"
    )


def _about_trials(plan: Plan) -> str:
    models = counted(len(plan.models), "model")
    seeds, folds = seeds_in_words(plan.recipe), plan.recipe.split.folds
    beside = f"; baselines: {', '.join(plan.recipe.baselines)}" if plan.recipe.baselines else ""
    networks = f"{counted(plan.networks, 'network')}, each"
    parts = (
        f" trained on about {len(plan.split.train):,} images, validated on "
        f"{len(plan.split.validation):,} and tested on the fold that is left out; then the "
        "recommended one on all images"
    )
    trials = f"{networks}{parts}" if folds else counted(plan.trials, "trial")
    trials = f"at most {trials}" if plan.recipe.looks or plan.recipe.race else trials
    return f"{models} × {seeds} = {trials}; selection: {plan.recipe.selection}{beside}"


def _size(model: ModelPlan) -> str:
    known = model.architecture
    if known is None:
        return f"built by {model.recipe.python}, so its layers are known only when it is built"
    still = known.parameters - known.trainable_parameters
    trainable = f" ({known.trainable_parameters:,} trainable)" if still else ""
    return f"{counted(known.parameters, 'parameter')}{trainable}"


def _about_builder(plan: Plan) -> list[str]:
    shape = "×".join(str(side) for side in plan.data.input_shape)
    return [
        f"  gets images of {shape} with pixels in [0, 1], which it need not scale, and ends in a "
        f"softmax over {plan.data.n_classes:,} classes",
    ]


def _layers(architecture: Architecture) -> RenderableType:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("  layer", overflow="fold")
    table.add_column("output", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    for layer in architecture.layers:
        shape = "×".join(str(side) for side in layer.output_shape)
        name = f"  {_label(layer)}"
        table.add_row(name, shape, f"{layer.parameters:,}", style="dim" if layer.added else None)
    return table


def _label(layer: LayerShape) -> str:
    known = {"scale": "scale to [0, 1]", "residual": "residual, its input added to its output"}
    if layer.kind == BACKBONE:
        once = layer.arguments["how"] == "frozen" and layer.arguments["name"] in BACKBONES
        return f"{layer.label}{': its features are computed once for each image' if once else ''}"
    label = "  " * layer.depth + known.get(layer.kind, layer.label)
    return f"{label} (added)" if layer.added else label


def _training(model: ModelPlan, plan: Plan) -> str:
    training = model.recipe.training
    steps = -(-len(plan.split.train) // training.batch_size)
    text = (
        f"{counted(training.epochs, 'epoch')} of {counted(steps, 'batch', 'batches')} "
        f"of {training.batch_size:,}, {optimizer_words(training.optimizer)}"
    )
    text = ", ".join([text, *option_words(training.options.unusual())])
    if model.seconds_per_trial is None:
        return text
    folds = f" of {model.networks} folds" if plan.recipe.split.folds else ""
    return f"{text}; about {duration(model.seconds_per_trial, rough=True)} a trial{folds}"


def _estimate(plan: Plan) -> list[str]:
    unit = "network" if plan.recipe.split.folds else "trial"
    if plan.cluster is not None:
        return plan.cluster.sentences(counted(plan.networks, unit), seconds=plan.seconds)
    lines = []
    if plan.seconds is None or plan.memory is None:
        lines.append("No estimate of time and memory: not every model's layers are known yet.")
    else:
        workers = counted(plan.workers, unit)
        lines.append(
            f"On this machine, {workers} at a time: about {duration(plan.seconds, rough=True)} and "
            f"{plan.memory / 1e9:.1f} GB of memory. Rough: from a matrix product that did "
            f"{plan.rate / 1e9:.0f} billion operations a second on one core just now."
        )
        free = available_memory()
        if plan.memory > free:
            lines.append(
                f"Only {free / 1e9:.1f} GB of memory are free: a run trains fewer at a time."
            )
    if plan.device == "cpu":
        remark = choose().remark
        lines += [f"Slower than it could be: {remark}."] if remark else []
    if plan.device == "gpu":
        lines.append("That is for the CPU; a run uses the GPU that is here, which is faster.")
    return lines
