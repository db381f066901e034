"""What a recipe asks for before anything is trained: layers, shapes, counts, a rough estimate.

The data is loaded and split as a run would, so that whatever is wrong with it is said now.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

from bakeoff.analysis.power import detectable
from bakeoff.data import DataSet
from bakeoff.data.folds import Folds
from bakeoff.data.split import Split
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.apply_setting import most, with_networks
from bakeoff.recipe.architecture import Architecture, describe, meant_as_output, training_bytes
from bakeoff.recipe.vocabulary.builder_remarks import MEANINGS
from bakeoff.study.create import load_split
from bakeoff.study.create.study_backbones import with_study_backbones
from bakeoff.study.jobs.model_identity import identity
from bakeoff.study.planning.cluster_plan import ClusterPlan, cluster_plan
from bakeoff.study.planning.cost import trial_seconds
from bakeoff.study.planning.estimate import run_memory, run_seconds
from bakeoff.study.planning.stages import sizes
from bakeoff.utils.machine import cores, default_device, measured_rate


@dataclass(frozen=True)
class ModelPlan:
    """One model; what only Keras could say of a Python builder is None."""

    recipe: ModelRecipe
    architecture: Architecture | None
    seconds: float | None  # of one network
    memory: int | None  # bytes, of one network; of the largest setting where it is searched
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
    recipe = with_networks(recipe, data.input_shape, data.n_classes)
    cluster = None if on is None else cluster_plan(on)
    rate = (cluster.rate if cluster else None) or measured_rate()
    workers = cores() if cluster is None else cluster.workers
    models = tuple(_model(each, recipe, data, split, rate) for each in recipe.models.values())
    count = len(models) * len(recipe.seeds) * (recipe.split.folds or 1)
    times = [model.seconds for model in models if model.seconds is not None]
    memories = [model.memory for model in models if model.memory is not None]
    seconds = memory = None
    if len(times) == len(models) and workers:
        seconds = run_seconds(recipe, data, split, networks=times, workers=workers, rate=rate)
    if len(memories) == len(models) and cluster is None:
        memory = run_memory(data, networks=memories, workers=min(workers, count))
    return Plan(
        recipe=recipe,
        data=data,
        split=split,
        models=models,
        workers=workers,
        device=default_device(),
        rate=rate,
        seconds=seconds,
        memory=memory,
        cluster=cluster,
    )


def _model(
    model: ModelRecipe, recipe: Recipe, data: DataSet, split: Split | Folds, rate: float
) -> ModelPlan:
    if model.python is not None:
        return ModelPlan(model, None, None, None, _built(model.python, data))
    architecture = describe(model, data.input_shape, data.n_classes)
    images, validation = len(split.train), len(split.validation)
    seconds = trial_seconds(model, architecture, images=images, validation=validation, rate=rate)

    def size(setting: ModelRecipe) -> int:
        return training_bytes(setting, describe(setting, data.input_shape, data.n_classes))

    largest = most(recipe, model.name, size)
    memory = largest + data.images[0].nbytes * (images + validation)
    remarks = meant_as_output(model, architecture.layers, data.n_classes)
    networks = split.n_folds if isinstance(split, Folds) else 1
    return ModelPlan(model, architecture, seconds, memory, remarks, networks)


def _built(python: str, data: DataSet) -> tuple[str, ...]:
    """Build a Python builder's model, trained by nobody, and return what is strange about it."""
    from bakeoff.training.builders import builder_checks

    with redirect_stdout(sys.stderr):  # a builder may talk; the plan alone stands on stdout
        codes = builder_checks.remarks(python, data.input_shape, data.n_classes)
    return tuple(MEANINGS[code] for code in codes)


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
