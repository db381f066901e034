"""Layers whose input is added to their output, as in ResNet and MobileNet."""

from bakeoff.recipe.vocabulary.arguments import Arguments
from bakeoff.recipe.vocabulary.layer import LayerArguments, Shape, ShapeMisfit, by
from bakeoff.recipe.vocabulary.layers import Conv2D, Dense

RESIDUAL = "residual"


class Residual(Arguments):
    """Layers whose input is added to their output, by a 1×1 convolution where shapes differ."""


def shortcut(before: Shape, after: Shape) -> tuple[str, LayerArguments] | None:
    """Return what brings the input to the shape of the output: kind and arguments; None if nothing.

    A convolution of 1×1 without a bias, in strides where the output is smaller; between flat rows
    a dense layer without a bias. Raises ShapeMisfit where neither serves.
    """
    if before == after:
        return None
    if len(before) == len(after) == 1:
        return "dense", Dense(units=after[0], use_bias=False)
    if len(before) == len(after) == 3:
        strides = [_stride(n, m) for n, m in zip(before[:2], after[:2], strict=True)]
        height, width = strides
        if height and width:
            settings = {"filters": after[2], "kernel_size": 1, "strides": (height, width)}
            return "conv2d", Conv2D.model_validate({**settings, "use_bias": False})
    if len(before) != len(after):
        raise ShapeMisfit(
            f" from {by(before)} to {by(after)}",
            "expected layers that leave a feature map one; move flatten, dense or global pooling "
            "out of the residual, or write flatten before it",
        )
    raise ShapeMisfit(
        f" from {by(before)} to {by(after)}",
        "expected layers whose output a 1×1 convolution of their input, in strides, can be added "
        "to; use padding: same inside",
    )


def _stride(before: int, after: int) -> int | None:
    """Return the stride in which a window of 1 leaves `after` of `before` places."""
    fitting = (s for s in (-(-before // after), before // after) if s and -(-before // s) == after)
    return next(fitting, None)
