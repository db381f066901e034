"""Reading `training` blocks: what one says, laid over another, completed with defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bakeoff.recipe.parsing.parse_model import (
    GivenOptimizer,
    finish_optimizer,
    read_arguments,
    read_optimizer,
)
from bakeoff.recipe.parsing.problems import Problems, attempt, known_keys
from bakeoff.recipe.types import Training
from bakeoff.recipe.value_kinds import Kind, Whole, found
from bakeoff.recipe.vocabulary.optimizers import EPOCHS
from bakeoff.recipe.vocabulary.training import TrainingOptions

OPTIONS = tuple(TrainingOptions.model_fields)
TRAINING_KEYS = ("epochs", "batch_size", "optimizer", *OPTIONS)
BATCH_SIZE = Whole(1, 1_000_000)


@dataclass(frozen=True)
class GivenTraining:
    """What one `training` block says; None where it says nothing."""

    epochs: int | None = None
    batch_size: int | None = None
    optimizer: GivenOptimizer | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def over(self, base: "GivenTraining") -> "GivenTraining":
        """Return this laid over `base`, key by key."""
        return GivenTraining(
            self.epochs or base.epochs,
            self.batch_size or base.batch_size,
            self.optimizer.over(base.optimizer) if self.optimizer else base.optimizer,
            {**base.options, **self.options},
        )


DEFAULT_TRAINING = GivenTraining(20, 32, GivenOptimizer("adam"))


def read_training(raw: object, place: str, problems: Problems) -> GivenTraining:
    """Read what a `training` block says."""
    if raw is None:
        return GivenTraining()
    if not isinstance(raw, Mapping):
        problems.add(place, f"expected keys such as {{epochs: 20}}, found {found(raw)}")
        return GivenTraining()
    known_keys(raw, TRAINING_KEYS, place, problems)

    def take(key: str, kind: Kind) -> int | None:
        if raw.get(key) is None:
            return None
        number: int | None = attempt(kind.read, raw[key], f"{place}.{key}", problems)
        return number

    optimizer = None
    if raw.get("optimizer") is not None:
        optimizer = read_optimizer(raw["optimizer"], f"{place}.optimizer", problems)
    said = {key: raw[key] for key in OPTIONS if key in raw}
    options = read_arguments(TrainingOptions, said, place, problems)
    return GivenTraining(
        take("epochs", EPOCHS),
        take("batch_size", BATCH_SIZE),
        optimizer,
        {} if options is None else options.given(),
    )


def finish_training(
    given: GivenTraining, place: str, problems: Problems, *, check_phases: bool = True
) -> Training | None:
    """Return the complete training; `check_phases`: the phases must cover the epochs."""
    if given.epochs is None or given.batch_size is None or given.optimizer is None:
        raise ValueError("lay it over DEFAULT_TRAINING first")
    epochs = given.epochs if check_phases else None
    optimizer = finish_optimizer(given.optimizer, epochs, f"{place}.optimizer", problems)
    if optimizer is None:
        return None
    return Training(
        epochs=given.epochs,
        batch_size=given.batch_size,
        optimizer=optimizer,
        options=TrainingOptions.model_validate(given.options),
    )
