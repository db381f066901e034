"""The words of a recipe's models: layers, optimizers, learning-rate phases, named as in Keras 3.

The classes derived from Arguments are the vocabulary: field names and defaults are Keras's own,
the annotations say what may be written. Messages, the JSON Schema and the documentation's tables
are made from them.
"""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator

from bakeoff.recipe.value_kinds import (
    Axes,
    Choice,
    Flag,
    Misfit,
    Number,
    OrNull,
    Pair,
    Regularizer,
    Whole,
)

ACTIVATION_NAMES = (
    *("relu", "sigmoid", "tanh", "elu", "selu", "gelu", "silu", "softmax", "linear"),
)
INITIALIZER_NAMES = (
    *("glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform"),
    *("lecun_normal", "random_uniform", "random_normal", "truncated_normal", "zeros", "ones"),
)

FLIPS = ("horizontal", "vertical", "horizontal_and_vertical")

Activation = Annotated[str, Choice(ACTIVATION_NAMES, "an activation", null="linear")]
Initializer = Annotated[str, Choice(INITIALIZER_NAMES, "an initializer")]
Penalty = Annotated[dict[str, float] | None, OrNull(Regularizer())]
Padding = Annotated[str, Choice(("valid", "same"), "a padding")]
Size = Annotated[tuple[int, int], Pair(1, 1024)]
OptionalSize = Annotated[tuple[int, int] | None, OrNull(Pair(1, 1024))]
Units = Annotated[int, Whole(1, 1_000_000)]
Toggle = Annotated[bool, Flag()]
Positive = Annotated[float, Number(0, 1e6, above=True)]
FromZero = Annotated[float, Number(0, 1e6)]
UnitInterval = Annotated[float, Number(0, 1)]
BelowOne = Annotated[float, Number(0, 1, below=True)]
OptionalFromZero = Annotated[float | None, OrNull(Number(0, 1e6))]
OptionalPositive = Annotated[float | None, OrNull(Number(0, 1e6, above=True))]


class Frozen(BaseModel):
    """A validated value that does not change; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Arguments(Frozen):
    """Arguments of one layer, optimizer or phase; `main` may be written without its name."""

    main: ClassVar[str | None] = None

    def plain(self) -> dict[str, Any]:
        """Return all arguments, defaults written out, as plain values."""
        return self.model_dump()

    def given(self) -> dict[str, Any]:
        """Return only the arguments that were given."""
        return self.model_dump(include=self.model_fields_set)


class Output(Arguments):
    """The final softmax layer that Bakeoff adds: a dense layer with one unit per class."""

    use_bias: Toggle = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Penalty = None
    bias_regularizer: Penalty = None


class Dense(Arguments):
    """Fully connected."""

    main = "units"
    units: Units
    activation: Activation = "linear"
    use_bias: Toggle = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Penalty = None
    bias_regularizer: Penalty = None


class Conv2D(Arguments):
    """Convolution over height and width."""

    filters: Annotated[int, Whole(1, 100_000)]
    kernel_size: Size
    strides: Size = (1, 1)
    padding: Padding = "valid"
    activation: Activation = "linear"
    use_bias: Toggle = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Penalty = None
    bias_regularizer: Penalty = None


class Pooling(Arguments):
    """What the pooling layers have in common; strides null means those of pool_size."""

    main = "pool_size"

    def plain(self) -> dict[str, Any]:
        """Return all arguments; strides that were not given are written out as pool_size."""
        values = super().plain()
        return values if values["strides"] else {**values, "strides": values["pool_size"]}


class MaxPooling2D(Pooling):
    """Largest value of each window."""

    pool_size: Size = (2, 2)
    strides: OptionalSize = None
    padding: Padding = "valid"


class AveragePooling2D(Pooling):
    """Mean of each window."""

    pool_size: Size
    strides: OptionalSize = None
    padding: Padding = "valid"


class GlobalAveragePooling2D(Arguments):
    """Mean of each channel."""


class Flatten(Arguments):
    """Height × width × channels in one row."""


class Dropout(Arguments):
    """Zero a share of the values while training."""

    main = "rate"
    rate: BelowOne


class BatchNormalization(Arguments):
    """Normalise each channel over the batch."""

    momentum: UnitInterval = 0.99
    epsilon: Positive = 0.001
    center: Toggle = True
    scale: Toggle = True


class ActivationLayer(Arguments):
    """An activation by itself."""

    main = "activation"
    activation: Annotated[str, Choice(ACTIVATION_NAMES, "an activation")]


class PReLU(Arguments):
    """ReLU with learned slopes below 0; one slope along each of shared_axes."""

    alpha_initializer: Initializer = "zeros"
    alpha_regularizer: Penalty = None
    shared_axes: Annotated[tuple[int, ...] | None, OrNull(Axes())] = None


class LeakyReLU(Arguments):
    """ReLU with a fixed slope below 0."""

    main = "negative_slope"
    negative_slope: FromZero = 0.3


class ELU(Arguments):
    """Exponential linear unit."""

    main = "alpha"
    alpha: FromZero = 1.0


class RandomFlip(Arguments):
    """While training, turn each image over, or not, at random."""

    main = "mode"
    mode: Annotated[str, Choice(FLIPS, "a mode")] = "horizontal_and_vertical"


class RandomTranslation(Arguments):
    """While training, move each image by up to these parts of its height and width."""

    height_factor: UnitInterval
    width_factor: UnitInterval
    fill_mode: Annotated[str, Choice(("reflect", "wrap", "constant", "nearest"), "a fill mode")] = (
        "reflect"
    )
    interpolation: Annotated[str, Choice(("nearest", "bilinear"), "an interpolation")] = "bilinear"
    fill_value: UnitInterval = 0.0


class OptimizerArguments(Arguments):
    """What the optimizers take beside the learning rate, which may change from epoch to epoch."""

    @model_validator(mode="after")
    def _one_clip(self) -> Self:
        clips = ("clipnorm", "clipvalue", "global_clipnorm")
        given = [name for name in clips if getattr(self, name, None) is not None]
        if len(given) > 1:
            raise Misfit(f"expected only one of {', '.join(clips)}, found {' and '.join(given)}")
        return self


class SGD(OptimizerArguments):
    """Stochastic gradient descent."""

    momentum: UnitInterval = 0.0
    nesterov: Toggle = False
    weight_decay: OptionalFromZero = None
    clipnorm: OptionalPositive = None
    clipvalue: OptionalPositive = None
    global_clipnorm: OptionalPositive = None


class RMSprop(OptimizerArguments):
    """RMSprop."""

    rho: BelowOne = 0.9
    momentum: UnitInterval = 0.0
    epsilon: Positive = 1e-7
    centered: Toggle = False
    weight_decay: OptionalFromZero = None
    clipnorm: OptionalPositive = None
    clipvalue: OptionalPositive = None
    global_clipnorm: OptionalPositive = None


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

    start: Positive
    end: FromZero


class Cosine(Arguments):
    """From start to end along half a cosine."""

    start: Positive
    end: FromZero


LAYERS: dict[str, type[Arguments]] = {
    "dense": Dense,
    "conv2d": Conv2D,
    "max_pooling2d": MaxPooling2D,
    "average_pooling2d": AveragePooling2D,
    "global_average_pooling2d": GlobalAveragePooling2D,
    "flatten": Flatten,
    "dropout": Dropout,
    "batch_normalization": BatchNormalization,
    "activation": ActivationLayer,
    "p_re_lu": PReLU,
    "leaky_re_lu": LeakyReLU,
    "elu": ELU,
    "random_flip": RandomFlip,
    "random_translation": RandomTranslation,
}
OPTIMIZERS: dict[str, type[OptimizerArguments]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}
LEARNING_RATES = {"sgd": 0.01, "rmsprop": 0.001, "adam": 0.001, "adamw": 0.001}
PHASES: dict[str, type[Arguments]] = {
    "constant": Constant,
    "exponential": Exponential,
    "linear": Linear,
    "cosine": Cosine,
}
LEARNING_RATE = Number(0, 1e6, above=True)
EPOCHS = Whole(1, 100_000)
