"""Optimizers and the phases of their learning rates; named as in Keras 3.

A new optimizer is one class here and its name in OPTIMIZERS; the class is called as Keras's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import model_validator

from bakeoff.recipe.value_kinds import Misfit, Number, OrNull, Whole, as_number
from bakeoff.recipe.vocabulary.arguments import (
    Arguments,
    BelowOne,
    FromZero,
    OptionalFromZero,
    OptionalPositive,
    Positive,
    Toggle,
    UnitInterval,
)

LEARNING_RATE = Number(0, 1e6, above=True)
EPOCHS = Whole(1, 100_000)
Frequency = Annotated[int | None, OrNull(Whole(1, 1_000_000))]
_AVERAGING = ("use_ema", "ema_momentum", "ema_overwrite_frequency")


def without_use_ema(given: Mapping[str, Any]) -> str:
    """Return which argument of weight averaging is given without use_ema; "" where none is."""
    lone = [name for name in _AVERAGING[1:] if given.get(name) is not None]
    return lone[0] if lone and "use_ema" not in given else ""


@dataclass(frozen=True)
class _FirstRate(Number):
    """The learning rate that a phase starts with; 0, where a warm-up starts, would not learn."""

    def refuse(self, value: object) -> Misfit:
        """Return the Misfit for a value that is none."""
        if as_number(value) != 0:
            return super().refuse(value)
        return Misfit(
            f"expected {self.words()}, found 0: an epoch at 0 learns nothing; start at a small "
            "rate such as 0.0001"
        )


class OptimizerArguments(Arguments):
    """What the optimizers take beside the learning rate, which may change from epoch to epoch.

    usual_rate : the learning rate where none is given
    slots : values that the optimizer keeps for each weight
    """

    usual_rate: ClassVar[float] = 0.001
    slots: ClassVar[int] = 2

    @model_validator(mode="after")
    def _one_clip(self) -> Self:
        clips = ("clipnorm", "clipvalue", "global_clipnorm")
        given = [name for name in clips if getattr(self, name, None) is not None]
        if len(given) > 1:
            raise Misfit(f"expected only one of {', '.join(clips)}, found {' and '.join(given)}")
        return self

    def plain(self) -> dict[str, Any]:
        """Return all arguments, defaults written out; weight averaging only where it is used."""
        values = super().plain()
        if not values["use_ema"]:
            return {name: each for name, each in values.items() if name not in _AVERAGING}
        return values


class SGD(OptimizerArguments):
    """Stochastic gradient descent."""

    usual_rate = 0.01
    slots = 0
    momentum: UnitInterval = 0.0
    nesterov: Toggle = False
    weight_decay: OptionalFromZero = None
    clipnorm: OptionalPositive = None
    clipvalue: OptionalPositive = None
    global_clipnorm: OptionalPositive = None
    use_ema: Toggle = False
    ema_momentum: UnitInterval = 0.99
    ema_overwrite_frequency: Frequency = None


class RMSprop(OptimizerArguments):
    """RMSprop."""

    slots = 1
    rho: BelowOne = 0.9
    momentum: UnitInterval = 0.0
    epsilon: Positive = 1e-7
    centered: Toggle = False
    weight_decay: OptionalFromZero = None
    clipnorm: OptionalPositive = None
    clipvalue: OptionalPositive = None
    global_clipnorm: OptionalPositive = None
    use_ema: Toggle = False
    ema_momentum: UnitInterval = 0.99
    ema_overwrite_frequency: Frequency = None


class Adam(OptimizerArguments):
    """Adam."""

    beta_1: BelowOne = 0.9
    beta_2: BelowOne = 0.999
    epsilon: Positive = 1e-7
    amsgrad: Toggle = False
    weight_decay: OptionalFromZero = None
    clipnorm: OptionalPositive = None
    clipvalue: OptionalPositive = None
    global_clipnorm: OptionalPositive = None
    use_ema: Toggle = False
    ema_momentum: UnitInterval = 0.99
    ema_overwrite_frequency: Frequency = None


class AdamW(OptimizerArguments):
    """Adam with decoupled weight decay."""

    weight_decay: FromZero = 0.004
    beta_1: BelowOne = 0.9
    beta_2: BelowOne = 0.999
    epsilon: Positive = 1e-7
    amsgrad: Toggle = False
    clipnorm: OptionalPositive = None
    clipvalue: OptionalPositive = None
    global_clipnorm: OptionalPositive = None
    use_ema: Toggle = False
    ema_momentum: UnitInterval = 0.99
    ema_overwrite_frequency: Frequency = None


class Nadam(OptimizerArguments):
    """Adam with Nesterov momentum."""

    beta_1: BelowOne = 0.9
    beta_2: BelowOne = 0.999
    epsilon: Positive = 1e-7
    weight_decay: OptionalFromZero = None
    clipnorm: OptionalPositive = None
    clipvalue: OptionalPositive = None
    global_clipnorm: OptionalPositive = None
    use_ema: Toggle = False
    ema_momentum: UnitInterval = 0.99
    ema_overwrite_frequency: Frequency = None


class Lion(OptimizerArguments):
    """Steps of one size, in the direction of the momentum: its sign."""

    slots = 1
    beta_1: BelowOne = 0.9
    beta_2: BelowOne = 0.99
    weight_decay: OptionalFromZero = None
    clipnorm: OptionalPositive = None
    clipvalue: OptionalPositive = None
    global_clipnorm: OptionalPositive = None
    use_ema: Toggle = False
    ema_momentum: UnitInterval = 0.99
    ema_overwrite_frequency: Frequency = None


class Constant(Arguments):
    """The same rate in every epoch."""

    main = "start"
    start: Positive


class Exponential(Arguments):
    """start·exp(rate·k)."""

    start: Positive
    rate: Annotated[float, Number(-100, 100)]


class Linear(Arguments):
    """From start to end in equal steps."""

    start: Annotated[float, _FirstRate(0, 1e6, above=True)]
    end: FromZero


class Cosine(Arguments):
    """From start to end along half a cosine."""

    start: Annotated[float, _FirstRate(0, 1e6, above=True)]
    end: FromZero


OPTIMIZERS: dict[str, type[OptimizerArguments]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": Nadam,
    "lion": Lion,
}
PHASES: dict[str, type[Arguments]] = {
    "constant": Constant,
    "exponential": Exponential,
    "linear": Linear,
    "cosine": Cosine,
}


def unusual_words(kind: str, arguments: Mapping[str, Any]) -> list[str]:
    """Return what is not as usual beside the learning rate: ["momentum 0.9", "nesterov yes"]."""
    known = OPTIMIZERS.get(kind)
    usual = {"learning_rate": arguments.get("learning_rate"), **(known().plain() if known else {})}
    return [
        f"{name} {'yes' if value is True else value}"
        for name, value in arguments.items()
        if value is not None and value != usual.get(name)
    ]
