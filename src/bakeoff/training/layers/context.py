"""What a training step tells the layers inside it: random key, shares to drop, raw pixels, probes.

It also says which of the ways of computing a layer is used: `ours`, `in_slices`, `in_patches`.

Layers read them from context variables, because Keras's `stateless_call` passes inputs only.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bakeoff.training.backend import jax

Array = Any

_random_key: ContextVar[tuple[Array, Counter[int]]] = ContextVar("random_key")
_pixels: ContextVar[tuple[Array, float] | None] = ContextVar("pixels", default=None)


_lanes: ContextVar[bool] = ContextVar("lanes", default=False)


def ours(data_format: str = "channels_last") -> bool:
    """Say whether our implementations are used: on a CPU; on a GPU Keras's own are faster."""
    return data_format == "channels_last" and bool(jax.default_backend() == "cpu")


@contextmanager
def lanes() -> Iterator[None]:
    """Say that what is traced inside is vmapped over the trials of a model."""
    token = _lanes.set(True)
    try:
        yield
    finally:
        _lanes.reset(token)


def in_patches(data_format: str) -> bool:
    """Say whether to convolve by a product of patches: on a GPU, for several lanes at once."""
    return data_format == "channels_last" and _lanes.get() and not ours()


def in_slices(data_format: str) -> bool:
    """Say whether to pool, and convolve channels one by one, by slices of the images."""
    return ours(data_format) or in_patches(data_format)


@contextmanager
def random_key(key: Array) -> Iterator[None]:
    """Set the JAX random key of this step for the random layers called inside."""
    token = _random_key.set((key, Counter()))
    try:
        yield
    finally:
        _random_key.reset(token)


def layer_key(index: int) -> Array:
    """Return the random key of the layer with that index in its model, for this step.

    A layer that is called again in it has another key then.
    """
    key, calls = _random_key.get()
    key, earlier = jax.random.fold_in(key, index), calls[index]
    calls[index] += 1
    return jax.random.fold_in(key, earlier) if earlier else key


_dropped: ContextVar[Sequence[Any]] = ContextVar("dropped", default=())


@contextmanager
def dropping(shares: Sequence[Any]) -> Iterator[None]:
    """Set what the dropout layers called inside drop, in the order of `dropout.dropouts`."""
    token = _dropped.set(shares)
    try:
        yield
    finally:
        _dropped.reset(token)


def dropped(position: int | None) -> Any:
    """Return what the dropout layer at that position drops; None where nobody has said."""
    shares = _dropped.get()
    return shares[position] if shares and position is not None else None


@contextmanager
def pixels(images: Array, maximum: float) -> Iterator[None]:
    """Give the layers called inside the raw uint8 batch; their inputs are it / `maximum`."""
    token = _pixels.set((images, maximum) if images.dtype == np.uint8 else None)
    try:
        yield
    finally:
        _pixels.reset(token)


def raw_pixels() -> tuple[Array, float] | None:
    """Return the raw uint8 batch and its maximum, or None where images are not bytes."""
    return _pixels.get()


@dataclass(frozen=True)
class Probes:
    """How the gradients of dense layers' pre-activations are read out, by layer name.

    zeros : added to a layer's pre-activations; their gradient equals that of the pre-activations
    inputs : what each of these layers multiplied by its weights, filled in by the layer
    """

    zeros: Mapping[str, Array]
    inputs: dict[str, Array] = field(default_factory=dict)


_probes: ContextVar[Probes | None] = ContextVar("probes", default=None)


@contextmanager
def probing(zeros: Mapping[str, Array]) -> Iterator[Probes]:
    """Let the dense layers called inside add `zeros` and record their inputs."""
    probes = Probes(zeros)
    token = _probes.set(probes)
    try:
        yield probes
    finally:
        _probes.reset(token)


def current_probes() -> Probes | None:
    """Return the probes of this step, or None outside `probing`."""
    return _probes.get()
