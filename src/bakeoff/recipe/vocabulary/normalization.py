"""Layers that normalise: over the batch, over channels, over groups of them."""

import math
from typing import Annotated, Any

from bakeoff.recipe.value_kinds import Whole
from bakeoff.recipe.vocabulary.arguments import Positive, Toggle, UnitInterval
from bakeoff.recipe.vocabulary.layer import LayerArguments, Shape, ShapeMisfit


class _Normalization(LayerArguments):
    """What layers that normalise have in common: a scale and a centre for each channel."""

    def parameters(self, before: Shape) -> tuple[int, int]:
        """Count beta and gamma."""
        arguments: Any = self
        return 0, before[-1] * (arguments.center + arguments.scale)

    def flops(self, before: Shape) -> int:
        """Count two for each value."""
        return 2 * math.prod(before)


class BatchNormalization(_Normalization):
    """Normalise each channel over the batch."""

    momentum: UnitInterval = 0.99
    epsilon: Positive = 0.001
    center: Toggle = True
    scale: Toggle = True

    def parameters(self, before: Shape) -> tuple[int, int]:
        """Count the moving averages, then beta and gamma."""
        return 2 * before[-1], super().parameters(before)[1]


class LayerNormalization(_Normalization):
    """Normalise the channels of each place, or the values of each row."""

    epsilon: Positive = 0.001
    center: Toggle = True
    scale: Toggle = True


class GroupNormalization(_Normalization):
    """Normalise groups of channels of each image; groups: 1 takes all channels together."""

    main = "groups"
    groups: Annotated[int, Whole(1, 100_000)] = 32
    epsilon: Positive = 0.001
    center: Toggle = True
    scale: Toggle = True

    def output_shape(self, before: Shape) -> Shape:
        """Return the input's shape; its channels must be a multiple of the groups."""
        if before[-1] % self.groups:
            raise ShapeMisfit(
                f" after {before[-1]:,} channels",
                "expected a number of groups that divides the channels; change groups",
            )
        return before
