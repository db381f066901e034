"""Layers: dense, convolution, pooling, noise, activations; named as in Keras 3.

A new layer that Keras has is one class here and its name in LAYERS.
"""

import math
from typing import Annotated, Any

from bakeoff.recipe.value_kinds import Axes, Choice, OrNull, Whole
from bakeoff.recipe.vocabulary.arguments import (
    ACTIVATION_ALIASES,
    ACTIVATION_NAMES,
    ActivationName,
    Arguments,
    BelowOne,
    Filters,
    FromZero,
    Initializer,
    OptionalSize,
    Padding,
    RegularizerArgument,
    Size,
    Toggle,
    UnitInterval,
    Units,
)
from bakeoff.recipe.vocabulary.layer import Declared, LayerArguments, Shape, ShapeMisfit, by, slide
from bakeoff.recipe.vocabulary.normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
)

# ── dense and convolution ────────────────────────────────────────────────────────────────────


class Output(Arguments):
    """The final softmax layer that Bakeoff adds: a dense layer with one unit per class."""

    use_bias: Toggle = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: RegularizerArgument = None
    bias_regularizer: RegularizerArgument = None


class _Products(LayerArguments):
    """What layers of products, a bias and an activation have in common."""

    def _beside(self) -> int:
        """Return the operations of each value beside its products."""
        arguments: Any = self
        return int(arguments.use_bias) + int(arguments.activation != "linear")


class Dense(_Products):
    """Fully connected."""

    main = "units"
    needs_row = True
    units: Units
    activation: ActivationName = "linear"
    use_bias: Toggle = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: RegularizerArgument = None
    bias_regularizer: RegularizerArgument = None

    def output_shape(self, before: Shape) -> Shape:
        """Return (units,)."""
        return (self.units,)

    def parameters(self, before: Shape) -> tuple[int, int]:
        """Count kernel and bias."""
        return 0, before[-1] * self.units + self.use_bias * self.units

    def flops(self, before: Shape) -> int:
        """Count products, bias and activation."""
        return self.units * (2 * before[-1] + self._beside())


class Conv2D(_Products):
    """Convolution over height and width."""

    needs_map = True
    filters: Filters
    kernel_size: Size
    strides: Size = (1, 1)
    padding: Padding = "valid"
    activation: ActivationName = "linear"
    use_bias: Toggle = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: RegularizerArgument = None
    bias_regularizer: RegularizerArgument = None

    def output_shape(self, before: Shape) -> Shape:
        """Return the map that the kernel leaves."""
        return slide(before, self.kernel_size, self.strides, self.padding, channels=self.filters)

    def parameters(self, before: Shape) -> tuple[int, int]:
        """Count kernel and bias."""
        kernel = math.prod(self.kernel_size) * before[-1] * self.filters
        return 0, kernel + self.use_bias * self.filters

    def flops(self, before: Shape) -> int:
        """Count products, bias and activation."""
        products = math.prod(self.kernel_size) * before[-1]
        return math.prod(self.output_shape(before)) * (2 * products + self._beside())


class DepthwiseConv2D(_Products):
    """Convolution of every channel by itself."""

    needs_map = True
    kernel_size: Size
    strides: Size = (1, 1)
    padding: Padding = "valid"
    depth_multiplier: Annotated[int, Whole(1, 1024)] = 1
    activation: ActivationName = "linear"
    use_bias: Toggle = True
    depthwise_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    depthwise_regularizer: RegularizerArgument = None
    bias_regularizer: RegularizerArgument = None

    def output_shape(self, before: Shape) -> Shape:
        """Return the map that the kernels leave."""
        channels = before[2] * self.depth_multiplier
        return slide(before, self.kernel_size, self.strides, self.padding, channels=channels)

    def parameters(self, before: Shape) -> tuple[int, int]:
        """Count kernels and bias."""
        channels = before[2] * self.depth_multiplier
        return 0, channels * (math.prod(self.kernel_size) + self.use_bias)

    def flops(self, before: Shape) -> int:
        """Count products, bias and activation."""
        products = math.prod(self.kernel_size)
        return math.prod(self.output_shape(before)) * (2 * products + self._beside())


class SeparableConv2D(_Products):
    """Convolution of every channel by itself, then one of 1×1 over all channels."""

    needs_map = True
    filters: Filters
    kernel_size: Size
    strides: Size = (1, 1)
    padding: Padding = "valid"
    depth_multiplier: Annotated[int, Whole(1, 1024)] = 1
    activation: ActivationName = "linear"
    use_bias: Toggle = True
    depthwise_initializer: Initializer = "glorot_uniform"
    pointwise_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    depthwise_regularizer: RegularizerArgument = None
    pointwise_regularizer: RegularizerArgument = None
    bias_regularizer: RegularizerArgument = None

    def output_shape(self, before: Shape) -> Shape:
        """Return the map that the kernels leave."""
        return slide(before, self.kernel_size, self.strides, self.padding, channels=self.filters)

    def parameters(self, before: Shape) -> tuple[int, int]:
        """Count both kernels and the bias."""
        between = before[2] * self.depth_multiplier
        kernels = between * (math.prod(self.kernel_size) + self.filters)
        return 0, kernels + self.use_bias * self.filters

    def flops(self, before: Shape) -> int:
        """Count products, bias and activation."""
        *size, _ = self.output_shape(before)
        between = before[2] * self.depth_multiplier
        depthwise = 2 * between * math.prod(self.kernel_size)
        return math.prod(size) * (depthwise + self.filters * (2 * between + self._beside()))


# ── pooling ──────────────────────────────────────────────────────────────────────────────────


class _Pooling(LayerArguments):
    """What the pooling layers have in common; strides null means those of pool_size."""

    main = "pool_size"
    needs_map = True

    def plain(self) -> dict[str, Any]:
        """Return all arguments; strides that were not given are written out as pool_size."""
        values = super().plain()
        return values if values["strides"] else {**values, "strides": values["pool_size"]}

    def output_shape(self, before: Shape) -> Shape:
        """Return the map that the windows leave."""
        arguments: Any = self
        strides = arguments.strides or arguments.pool_size
        return slide(before, arguments.pool_size, strides, arguments.padding, size_name="pool_size")

    def flops(self, before: Shape) -> int:
        """Count every value of every window."""
        arguments: Any = self
        window: int = math.prod(arguments.pool_size)
        return math.prod(self.output_shape(before)) * window

    def _follows(self, name: str, value: Any) -> bool:
        arguments: Any = self
        return bool(name == "strides" and value == arguments.pool_size)


class MaxPooling2D(_Pooling):
    """Largest value of each window."""

    pool_size: Size = (2, 2)
    strides: OptionalSize = None
    padding: Padding = "valid"


class AveragePooling2D(_Pooling):
    """Mean of each window."""

    pool_size: Size
    strides: OptionalSize = None
    padding: Padding = "valid"


class _GlobalPooling(LayerArguments):
    """One value of each channel."""

    needs_map = True

    def output_shape(self, before: Shape) -> Shape:
        """Return (channels,)."""
        return before[2:]

    def flops(self, before: Shape) -> int:
        """Count every value."""
        return math.prod(before)


class GlobalAveragePooling2D(_GlobalPooling):
    """Mean of each channel."""


class GlobalMaxPooling2D(_GlobalPooling):
    """Largest value of each channel."""


class _Uncounted(LayerArguments):
    """What layers have in common whose operations are not worth counting."""

    def flops(self, before: Shape) -> int:
        """Count nothing."""
        return 0


class Flatten(_Uncounted):
    """Height × width × channels in one row."""

    def output_shape(self, before: Shape) -> Shape:
        """Return (values,)."""
        return (math.prod(before),)


class Dropout(_Uncounted):
    """Zero a share of the values while training."""

    main = "rate"
    draws = True
    rate: BelowOne


class GaussianNoise(_Uncounted):
    """Add noise with mean 0 to every value while training."""

    main = "stddev"
    draws = True
    stddev: UnitInterval


# ── activations ──────────────────────────────────────────────────────────────────────────────


class Activation(LayerArguments):
    """An activation by itself."""

    main = "activation"
    activation: Annotated[
        str, Choice(ACTIVATION_NAMES, "an activation", aliases=ACTIVATION_ALIASES)
    ]


class PReLU(LayerArguments):
    """ReLU with learned slopes below 0; one slope along each of shared_axes."""

    alpha_initializer: Initializer = "zeros"
    alpha_regularizer: RegularizerArgument = None
    shared_axes: Annotated[tuple[int, ...] | None, OrNull(Axes())] = None

    def output_shape(self, before: Shape) -> Shape:
        """Return the input's shape, which must have the shared axes."""
        axes = self.shared_axes or ()
        if axes and max(axes) > len(before):
            raise ShapeMisfit(
                "",
                f"expected axes from 1 to {len(before)}, since its input has the shape "
                f"{by(before)}",
            )
        return before

    def parameters(self, before: Shape) -> tuple[int, int]:
        """Count a slope for each value of an image, but along shared axes."""
        shared = self.shared_axes or ()
        return 0, math.prod(n for axis, n in enumerate(before, start=1) if axis not in shared)


class LeakyReLU(LayerArguments):
    """ReLU with a fixed slope below 0."""

    main = "negative_slope"
    negative_slope: FromZero = 0.3


class ELU(LayerArguments):
    """Exponential linear unit."""

    main = "alpha"
    alpha: FromZero = 1.0


LAYERS: Declared = {
    "dense": Dense,
    "conv2d": Conv2D,
    "depthwise_conv2d": DepthwiseConv2D,
    "separable_conv2d": SeparableConv2D,
    "max_pooling2d": MaxPooling2D,
    "average_pooling2d": AveragePooling2D,
    "global_average_pooling2d": GlobalAveragePooling2D,
    "global_max_pooling2d": GlobalMaxPooling2D,
    "flatten": Flatten,
    "dropout": Dropout,
    "gaussian_noise": GaussianNoise,
    "batch_normalization": BatchNormalization,
    "layer_normalization": LayerNormalization,
    "group_normalization": GroupNormalization,
    "activation": Activation,
    "p_re_lu": PReLU,
    "leaky_re_lu": LeakyReLU,
    "elu": ELU,
}
