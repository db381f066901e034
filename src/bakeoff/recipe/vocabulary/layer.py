"""The base of all declared layers: output shape, parameters, operations, and the layer in words."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from bakeoff.recipe.vocabulary.arguments import Arguments

Shape = tuple[int, ...]


class ShapeMisfit(ValueError):
    """A layer does not fit what comes before it: `found` follows its name, `expected` the colon."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"{found}: {expected}")
        self.found, self.expected = found, expected


class LayerArguments(Arguments):
    """The arguments of a layer; the class is called as Keras calls the layer.

    Shapes leave the batch out: (height, width, channels) of a feature map, (values,) of a flat row.

    needs_map : takes feature maps only
    needs_row : takes flat rows; Bakeoff puts a flatten before it
    draws : does something at random, while training
    """

    needs_map: ClassVar[bool] = False
    needs_row: ClassVar[bool] = False
    draws: ClassVar[bool] = False

    def output_shape(self, before: Shape) -> Shape:
        """Return the shape of what it puts out; ShapeMisfit if it does not fit its input."""
        return before

    def parameters(self, before: Shape) -> tuple[int, int]:
        """Return the numbers of parameters that do not learn, and of those that do."""
        return 0, 0

    def flops(self, before: Shape) -> int:
        """Return the operations of one image forward; a multiply-add counts as two."""
        return math.prod(self.output_shape(before))

    def words(self) -> str:
        """Return the arguments in a few words: what was asked for, and what is not as usual."""
        said, regularizers = [], []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            asked = field.is_required() or name == self.main
            if not asked and (value == field.default or self._follows(name, value)):
                continue
            if name.endswith("_regularizer"):
                regularizers.append(_say(name, value))
            else:
                said.append(_plainly(name, value) if asked else _say(name, value))
        return ", ".join(filter(None, (" ".join(said), *regularizers)))

    def _follows(self, name: str, value: Any) -> bool:
        """Say whether an argument is what it is because of another one."""
        return False


def by(shape: Shape) -> str:
    """Return a shape as a reader sees it: "8×8"."""
    return "×".join(str(each) for each in shape)


def _plainly(name: str, value: Any) -> str:
    if isinstance(value, tuple):
        return by(value) if name == "kernel_size" or value[0] != value[1] else str(value[0])
    return f"{value:g}" if isinstance(value, float) else str(value)


def _say(name: str, value: Any) -> str:
    """Return an argument that is not as usual, with as much of its name as it takes."""
    if name in ("padding", "activation", "mode"):
        return str(value)
    if name == "strides":
        return f"stride {_plainly(name, value)}"
    if name.endswith("_regularizer"):
        part = _part(name, "_regularizer")
        return part + " ".join(f"{key} {each:g}" for key, each in value.items())
    if name.endswith("_initializer"):
        return _part(name, "_initializer") + str(value)
    if isinstance(value, bool):
        what = name.removeprefix("use_")
        return what if value else f"no {what}"
    if isinstance(value, tuple):
        return f"{name} {list(value)}"
    return f"{name} {_plainly(name, value)}"


def _part(name: str, kind: str) -> str:
    part = name.removesuffix(kind)
    return "" if part == "kernel" else f"{part} "


def said(kind: str, arguments: LayerArguments | None) -> str:
    """Return a layer in a few words: "conv2d 32 3×3 relu", "max_pooling2d 2"."""
    return " ".join(filter(None, (kind, arguments.words() if arguments else "")))


def slide(
    before: Shape,
    window: Shape,
    strides: Shape,
    padding: str,
    *,
    size_name: str = "kernel_size",
    channels: int | None = None,
) -> Shape:
    """Return the shape that a window leaves as it moves over a feature map in strides.

    size_name : what the recipe calls the window's size
    """
    size = before[:2]
    pairs = list(zip(size, window, strides, strict=True))
    if padding == "same":
        after = tuple(-(-extent // stride) for extent, _, stride in pairs)
    elif any(extent < width for extent, width, _ in pairs):
        cure = f"write a smaller {size_name}, or padding: same"
        if 1 in size:
            cure = "remove the layer, or shrink less before it (padding: same)"
        raise ShapeMisfit(
            f" after a {by(size)} feature map", f"expected at least {by(window)}; {cure}"
        )
    else:
        after = tuple((extent - width) // stride + 1 for extent, width, stride in pairs)
    return (*after, before[2] if channels is None else channels)


def require_map(before: Shape) -> None:
    """Raise ShapeMisfit where the input is a flat row."""
    if len(before) != 3:
        raise ShapeMisfit(
            f" after a flat row of {before[0]:,} values",
            "expected a feature map; move the layer before the first flatten, dense or global "
            "pooling; a backbone ends in one",
        )


Declared = Mapping[str, type[LayerArguments]]
