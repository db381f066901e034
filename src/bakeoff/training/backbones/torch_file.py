"""Weights in a file of PyTorch before 1.6, read without PyTorch and without a pickle's code.

Such a file is five pickles (a magic number, a version, the machine's sizes, the tensors, the keys
of their values) and then the values. The tensors' pickle is taken apart as data: its instructions
are followed only as far as they make text, numbers and tuples; what would import or call something
becomes a record of it. Anything else in the file is refused.
"""

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_KINDS: dict[str, np.dtype[Any]] = {
    "torch FloatStorage": np.dtype("<f4"),
    "torch LongStorage": np.dtype("<i8"),
}
_REBUILD = "torch._utils _rebuild_tensor_v2"
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = ("BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE")
_MARK = object()


@dataclass(frozen=True)
class _Imported:
    """Something that unpickling would have imported."""

    name: str


@dataclass
class _Called:
    """Something that unpickling would have called; `items` were set on what it returned."""

    what: Any
    arguments: Any
    items: dict[Any, Any]


@dataclass(frozen=True)
class _Stored:
    """A reference to values further on in the file."""

    reference: Any


@dataclass(frozen=True)
class _Layout:
    """How a tensor lies in the values of `key`; offset and strides count values."""

    key: str
    kind: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_tensors(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the tensors of a state dictionary by name, in the file's order.

    Raises ValueError where the file is something else.
    """
    file = BytesIO(content)
    magic, version, _, tensors, keys = (_read_data(file) for _ in range(5))
    whole = isinstance(tensors, _Called) and tensors.what == _Imported("collections OrderedDict")
    if magic != _MAGIC or version != _VERSION or not whole:
        raise ValueError("expected a state dictionary that PyTorch saved")
    layouts = {str(name): _layout(called) for name, called in tensors.items.items()}
    kinds = {layout.key: layout.kind for layout in layouts.values()}
    values = {}
    for key in keys:
        (count,) = np.frombuffer(file.read(8), "<i8")
        kind = kinds[key]
        values[key] = np.frombuffer(file.read(int(count) * kind.itemsize), kind)
        if len(values[key]) != count:
            raise ValueError("expected as many values as the file announces")
    if file.read(1):
        raise ValueError("expected the file to end after the last tensor")
    return {name: _laid_out(layout, values[layout.key]) for name, layout in layouts.items()}


def _layout(called: Any) -> _Layout:
    if not isinstance(called, _Called) or called.what != _Imported(_REBUILD):
        raise ValueError("expected tensors and nothing else")
    stored, offset, shape, strides = called.arguments[:4]
    _, imported, key, *_ = stored.reference
    if imported.name not in _KINDS or len(shape) != len(strides):
        raise ValueError("expected tensors of float32 or int64")
    return _Layout(key, _KINDS[imported.name], offset, shape, strides)


def _laid_out(layout: _Layout, values: NDArray[Any]) -> NDArray[Any]:
    """Return a tensor of the values; those of a convolution lie as TensorFlow wrote them."""
    steps = zip(layout.shape, layout.strides, strict=True)
    last = layout.offset + sum((size - 1) * stride for size, stride in steps)
    if min((*layout.shape, *layout.strides, layout.offset, 1)) < 0 or last >= len(values):
        raise ValueError("expected tensors inside their values")
    strides = [stride * values.itemsize for stride in layout.strides]
    start = values[layout.offset :]
    return np.lib.stride_tricks.as_strided(start, layout.shape, strides, writeable=False)


def _read_data(file: BytesIO) -> Any:
    """Return what the next pickle holds, as data."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    operation: Any
    argument: Any
    for operation, argument, _ in pickletools.genops(file):
        name = operation.name
        if name == "PROTO":
            continue
        if name == "STOP":
            return stack.pop()
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "GLOBAL":
            stack.append(_Imported(argument))
        else:
            _combine(name, stack)
    raise ValueError("expected another pickle")


def _combine(name: str, stack: list[Any]) -> None:
    """Carry out an instruction that makes one value of others."""
    if name == "MARK":
        stack.append(_MARK)
    elif name in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"):
        stack.append({"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}[name]())
    elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
        count = int(name[-1])
        stack[-count:] = [tuple(stack[-count:])]
    elif name == "TUPLE":
        stack.append(tuple(_since_mark(stack)))
    elif name == "APPENDS":
        items = _since_mark(stack)
        stack[-1].extend(items)
    elif name in ("SETITEM", "SETITEMS"):
        pairs = [stack.pop(), stack.pop()][::-1] if name == "SETITEM" else _since_mark(stack)
        target = stack[-1].items if isinstance(stack[-1], _Called) else stack[-1]
        target.update(_pairs(pairs))
    elif name == "REDUCE":
        arguments, what = stack.pop(), stack.pop()
        stack.append(_Called(what, arguments, {}))
    elif name == "BINPERSID":
        stack.append(_Stored(stack.pop()))
    elif name == "BUILD":
        stack.pop()  # what PyTorch notes of the modules' versions
    else:
        raise ValueError(f"expected data, found the instruction {name}")


def _since_mark(stack: list[Any]) -> list[Any]:
    items: list[Any] = []
    while (item := stack.pop()) is not _MARK:
        items.append(item)
    return items[::-1]


def _pairs(items: list[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(items[::2], items[1::2], strict=True)
