"""Layers that change images at random while a network trains, and never when it is scored.

Names and arguments are those of Keras 3, but for `cutout`, which Keras does not have; pixels are in
[0, 1]. A new one is a class here and a layer in training/layers/augmentation.py.
"""

from typing import Annotated

from bakeoff.recipe.value_kinds import Choice, Number, OrNull
from bakeoff.recipe.vocabulary.arguments import Side, UnitInterval
from bakeoff.recipe.vocabulary.layer import Declared, LayerArguments, Shape, ShapeMisfit, by

FLIPS = ("horizontal", "vertical", "horizontal_and_vertical")
FillMode = Annotated[str, Choice(("reflect", "wrap", "constant", "nearest"), "a fill mode")]
Interpolation = Annotated[str, Choice(("nearest", "bilinear"), "an interpolation")]


class _Augmentation(LayerArguments):
    """What they have in common: a map in, a map out, and no operations of the trained network."""

    needs_map = True
    draws = True

    def flops(self, before: Shape) -> int:
        """Count nothing."""
        return 0


class RandomFlip(_Augmentation):
    """Turn each image over, or not."""

    main = "mode"
    mode: Annotated[str, Choice(FLIPS, "a mode")] = "horizontal_and_vertical"


class RandomTranslation(_Augmentation):
    """Move each image by up to these parts of its height and width."""

    height_factor: UnitInterval
    width_factor: UnitInterval
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: UnitInterval = 0.0


class RandomRotation(_Augmentation):
    """Rotate each image by up to this part of a full turn, either way."""

    main = "factor"
    factor: UnitInterval
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: UnitInterval = 0.0


class RandomZoom(_Augmentation):
    """Shrink or enlarge each image by up to these parts; null keeps its proportions."""

    main = "height_factor"
    height_factor: Annotated[float, Number(0, 1, below=True)]
    width_factor: Annotated[float | None, OrNull(Number(0, 1, below=True))] = None
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: UnitInterval = 0.0


class RandomContrast(_Augmentation):
    """Multiply each image's distance from its mean by 1 − factor to 1 + factor."""

    main = "factor"
    factor: UnitInterval


class RandomBrightness(_Augmentation):
    """Add −factor to factor to each image's pixels."""

    main = "factor"
    factor: UnitInterval


class RandomCrop(_Augmentation):
    """Take a part of this size from a random place; scored images are cut from the middle."""

    height: Side
    width: Side

    def output_shape(self, before: Shape) -> Shape:
        """Return (height, width, channels)."""
        if self.height > before[0] or self.width > before[1]:
            raise ShapeMisfit(
                f" after a {by(before[:2])} feature map",
                "expected a crop that is not larger; make its height and width smaller",
            )
        return (self.height, self.width, before[2])


class Cutout(_Augmentation):
    """Fill a square of `size` pixels, centred anywhere in the image, with fill_value."""

    main = "size"
    size: Side
    fill_value: UnitInterval = 0.0

    def output_shape(self, before: Shape) -> Shape:
        """Return the input's shape; a square that is larger would leave nothing to see."""
        if self.size > max(before[:2]):
            raise ShapeMisfit(
                f" after a {by(before[:2])} feature map",
                "expected a square that is not larger; write a smaller size",
            )
        return before


AUGMENTATION: Declared = {
    "random_flip": RandomFlip,
    "random_translation": RandomTranslation,
    "random_rotation": RandomRotation,
    "random_zoom": RandomZoom,
    "random_contrast": RandomContrast,
    "random_brightness": RandomBrightness,
    "random_crop": RandomCrop,
    "cutout": Cutout,
}
