"""A recipe as frozen values, complete: Recipe, its models, their layers, optimizers and phases."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from bakeoff.data.sources import Source
from bakeoff.data.split import Part
from bakeoff.recipe.dimension import Dimension
from bakeoff.recipe.learning_rate import Phase, learning_rates
from bakeoff.recipe.search_space import dimensions
from bakeoff.recipe.value_kinds import Misfit
from bakeoff.recipe.vocabulary.arguments import Frozen
from bakeoff.recipe.vocabulary.layers import Output
from bakeoff.recipe.vocabulary.optimizers import OPTIMIZERS
from bakeoff.recipe.vocabulary.residual import RESIDUAL
from bakeoff.recipe.vocabulary.training import TrainingOptions
from bakeoff.recipe.vocabulary.words import LAYERS


class Layer(Frozen):
    """One declared layer: its Keras name and all its arguments, defaults written out.

    `layers`: those inside it, of a residual; else empty.
    """

    kind: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    layers: tuple["Layer", ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("kind") == RESIDUAL:
            return data
        if isinstance(data, Mapping) and data.get("kind") in LAYERS:
            complete = LAYERS[data["kind"]].model_validate(data.get("arguments", {}))
            return {**data, "arguments": complete.plain()}
        raise Misfit(f"expected a layer's kind ({', '.join(LAYERS)}) and arguments")

    def resolved(self) -> Any:
        """Return the layer in the recipe's grammar, as plain data."""
        if self.kind == RESIDUAL:
            return {self.kind: [layer.resolved() for layer in self.layers]}
        return {self.kind: plain_data(self.arguments)} if self.arguments else self.kind


def innermost(layers: Iterable[Layer]) -> Iterator[Layer]:
    """Yield the layers that hold no others, in the order in which they stand."""
    for layer in layers:
        if layer.kind == RESIDUAL:
            yield from innermost(layer.layers)
        else:
            yield layer


class Optimizer(Frozen):
    """An optimizer: its Keras name, its arguments written out, and the learning rate by phases."""

    kind: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    learning_rate: tuple[Phase, ...]

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("kind") in OPTIMIZERS:
            complete = OPTIMIZERS[data["kind"]].model_validate(data.get("arguments", {}))
            usual = (Phase(kind="constant", start=OPTIMIZERS[data["kind"]].usual_rate),)
            phases = data.get("learning_rate") or usual
            return {**data, "arguments": complete.plain(), "learning_rate": phases}
        raise Misfit(f"expected an optimizer's kind ({', '.join(OPTIMIZERS)}) and arguments")

    def learning_rates(self, epochs: int) -> NDArray[np.float64]:
        """Return the learning rate of every epoch, float64, shape (epochs,).

        Raises Misfit (a ValueError) if the phases do not cover `epochs` exactly or a rate is too
        large to be a number.
        """
        return learning_rates(self.learning_rate, epochs)

    def resolved(self) -> dict[str, Any]:
        """Return the optimizer in the recipe's grammar, as plain data."""
        first = self.learning_rate[0]
        alone = len(self.learning_rate) == 1 and first.kind == "constant" and first.epochs is None
        rate = first.start if alone else [phase.resolved() for phase in self.learning_rate]
        return {self.kind: {"learning_rate": rate, **plain_data(self.arguments)}}


def plain_data(value: Any) -> Any:
    """Return nested mappings and sequences as dicts and lists, and paths as text."""
    if isinstance(value, Mapping):
        return {key: plain_data(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain_data(each) for each in value]
    return str(value) if isinstance(value, Path) else value


Selection = Literal["best-loss", "best-accuracy", "last"]
Preference = Literal["parameters", "time"]


class SplitRecipe(Frozen):
    """How the images are divided; `test` counts only where the data has no test part of its own.

    With `folds` there is no test part: every image is tested once a repeat, and the recipe's seeds
    are the repeats.
    """

    validation: Part = Part(0.2)
    test: int | float = 0.2
    seed: int = 0
    folds: int | None = None


class Race(Frozen):
    """Models that validation shows to be worse stop early; `after`: seeds of each at every look."""

    after: tuple[int, ...]

    def resolved(self) -> dict[str, Any]:
        """Return the race in the recipe's grammar, as plain data."""
        return {"after": list(self.after)}


class Training(Frozen):
    """How a model is trained."""

    epochs: int
    batch_size: int
    optimizer: Optimizer
    options: TrainingOptions = TrainingOptions()

    def resolved(self) -> dict[str, Any]:
        """Return the training in the recipe's grammar, as plain data."""
        return {
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "optimizer": self.optimizer.resolved(),
            **plain_data(self.options.unusual()),
        }


class BackboneNetwork(Frozen):
    """The network that another study's model is, as it was found there.

    input_shape : height, width, channels of the images that it was trained on
    weights : SHA-256 of its weights, those of seed `seed`
    seen : the images that it was trained on, in words
    """

    input_shape: tuple[int, int, int]
    layers: tuple[Layer, ...]
    seed: int
    weights: str
    seen: str

    def resolved(self) -> dict[str, Any]:
        """Return the network in the recipe's grammar, as plain data."""
        layers = [layer.resolved() for layer in self.layers]
        return {**plain_data(self.model_dump(exclude={"layers"})), "layers": layers}


class ImageChange(Frozen):
    """One way to change images before a frozen backbone sees them, the same for each image always.

    number : from 1; another one draws otherwise
    """

    layers: tuple[Layer, ...]
    number: int

    @property
    def identity(self) -> str:
        """What it depends on, as text."""
        layers = json.dumps([layer.resolved() for layer in self.layers], sort_keys=True)
        return f"{layers} pass {self.number}"


class Backbone(Frozen):
    """A network trained elsewhere whose features a model starts from.

    Either `name`, one of BACKBONES, or the `model` of another `study`; None: the recommended one.

    start : the first layer that is fine-tuned: its name or, of another study's, its number,
        from 1; None: all are, if `trainable`, or none
    learning_rate : the highest of what is fine-tuned; it rises and falls with the model's
    augment : layers that change training images before it
    passes : of a frozen one, how often features of a training image are kept: as it is, and
        changed in passes - 1 ways
    network : what the other study's model is, once that has been looked up
    """

    name: str | None = None
    study: str | None = None
    model: str | None = None
    trainable: bool = False
    start: str | int | None = None
    learning_rate: float | None = None
    augment: tuple[Layer, ...] = ()
    passes: int = 1
    network: BackboneNetwork | None = None

    @property
    def trains(self) -> bool:
        """Whether any of it is fine-tuned."""
        return self.trainable or self.start is not None

    def trains_layer(self, number: int) -> bool:
        """Say whether layer `number`, from 1, of another study's network is fine-tuned."""
        start = self.start if isinstance(self.start, int) else 1
        return self.trains and number >= start

    @property
    def inside(self) -> bool:
        """Whether it is part of the network that is trained; else its features are kept."""
        return self.trains or self.study is not None

    @property
    def changes(self) -> tuple[ImageChange, ...]:
        """The ways in which training images are changed, whose features are kept."""
        numbers = range(1, self.passes)
        return tuple(ImageChange(layers=self.augment, number=number) for number in numbers)

    @property
    def label(self) -> str:
        """What it is called: "efficientnet_lite0", "digits/cnn"."""
        return self.name or f"{Path(self.study or '').name}/{self.model or 'recommended'}"

    def resolved(self) -> Any:
        """Return the backbone in the recipe's grammar, as plain data."""
        if self == Backbone(name=self.name):
            return self.name
        given = self.model_dump(exclude={"start", "network", "augment"}, exclude_none=True)
        if self.passes == 1:
            del given["passes"]
        if self.augment:
            given["augment"] = [layer.resolved() for layer in self.augment]
        start = {} if self.start is None else {"from": self.start}
        network = {} if self.network is None else {"network": self.network.resolved()}
        return {**{k: v for k, v in given.items() if v is not False}, **start, **network}


class Search(Frozen):
    """How the choices of a model are made; `space` is the model as declared, choices and all."""

    space: dict[str, Any]
    settings: int = 40
    sampler: str = "tpe"
    minutes: float | None = None
    pruning: str = "none"
    seed: int = 0

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """The choices."""
        return dimensions(self.space)

    def budget(self) -> dict[str, Any]:
        """Return how much is tried and by which rule, in the recipe's grammar."""
        return self.model_dump(exclude={"space"}, exclude_none=True)


class ModelRecipe(Frozen):
    """One declared network with its training: `layers`, or `python` ("/path/file.py:function").

    Where there is a backbone, `layers` are what comes after its features. Where there is a
    `search`, all else is one setting of it: the chosen one, or before it is chosen any.
    """

    name: str
    backbone: Backbone | None = None
    layers: tuple[Layer, ...] | None = None
    python: str | None = None
    output: dict[str, Any] = Field(default_factory=dict)
    training: Training
    search: Search | None = None

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("layers") is not None:
            return {**data, "output": Output.model_validate(data.get("output", {})).plain()}
        return data

    @property
    def frozen_backbone(self) -> str | None:
        """The backbone whose features, computed beforehand, the model is trained on."""
        return None if self.backbone is None or self.backbone.inside else self.backbone.name

    @property
    def image_changes(self) -> tuple[ImageChange, ...]:
        """The ways in which training images are changed before a frozen backbone."""
        return () if self.backbone is None else self.backbone.changes

    def resolved(self) -> dict[str, Any]:
        """Return the model, without its name, in the recipe's grammar, as plain data."""
        training = self.training.resolved()
        if self.layers is None:
            return {"python": self.python, "training": training}
        layers = [layer.resolved() for layer in self.layers]
        backbone = {} if self.backbone is None else {"backbone": self.backbone.resolved()}
        output = plain_data(self.output)
        return {**backbone, "training": training, "layers": layers, "output": output}


class Recipe(Frozen):
    """A study as declared. See docs/recipe.md for every field.

    `looks`: after how many of the seeds of each model the test set is opened; empty: after all.
    `prefer`: what a model that is nearly as good shall have less of.
    """

    name: str
    title: str | None = None
    data: Source
    split: SplitRecipe = SplitRecipe()
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    looks: tuple[int, ...] = ()
    race: Race | None = None
    selection: Selection = "best-loss"
    training: Training
    baselines: tuple[str, ...] = ("majority", "logistic")
    margin: float = 0.002
    give_up: float = 0.005
    prefer: Preference = "parameters"
    models: dict[str, ModelRecipe]

    def resolved(self) -> dict[str, Any]:
        """Return the recipe with every default written out, in the recipe's grammar.

        Plain data (dict, list, str, int, float, bool, None); parsing it, or its YAML, gives an
        equal Recipe.
        """
        return {
            "name": self.name,
            **({} if self.title is None else {"title": self.title}),
            "data": _resolved_data(self.data),
            **self._resolved_split(),
            **({} if self.race is None else {"race": self.race.resolved()}),
            "selection": self.selection,
            "training": self.training.resolved(),
            "baselines": list(self.baselines),
            "margin": self.margin,
            "give_up": self.give_up,
            "prefer": self.prefer,
            "models": {name: self._resolved_model(model) for name, model in self.models.items()},
        }

    def _resolved_model(self, model: ModelRecipe) -> dict[str, Any]:
        """Return a resolved model, with options that only the study's training has switched off.

        A searched model stays as it was declared.
        """
        if model.search is not None:
            return {**model.search.space, "search": model.search.budget()}
        resolved = model.resolved()
        usual = TrainingOptions().model_dump()
        refused = {key: usual[key] for key in self.training.options.unusual()}
        return {**resolved, "training": {**refused, **resolved["training"]}}

    def _resolved_split(self) -> dict[str, Any]:
        split, validation = self.split, _resolved_part(self.split.validation)
        if split.folds is None:
            parts = {"validation": validation, "test": split.test, "seed": split.seed}
            seeds = {"looks": list(self.looks)} if self.looks else list(self.seeds)
            return {"split": parts, "seeds": seeds}
        folds = {"folds": split.folds, "repeats": len(self.seeds)}
        return {"split": {**folds, "validation": validation, "seed": split.seed}}


def _resolved_data(data: Source) -> Any:
    if isinstance(data, str):
        return data
    values = {each.name: getattr(data, each.name) for each in fields(data)}
    return plain_data({key: value for key, value in values.items() if value is not None})


def _resolved_part(part: Part) -> Any:
    return part.amount if part.taken == "stratified" else {part.taken: part.amount}
