"""Features that a frozen backbone gives for images: computed once, kept by the images' hashes."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.recipe.types import ImageChange
from bakeoff.recipe.vocabulary.backbones import BACKBONES
from bakeoff.storage import feature_cache
from bakeoff.storage.locks import lock_file
from bakeoff.training.backbones.load import load
from bakeoff.training.backend import as_trained, jax
from bakeoff.training.layers.context import random_key
from bakeoff.training.make_layer import augmenting
from bakeoff.training.stateless import stateless_predict, values

jnp = jax.numpy
Array = Any
BATCH = 8  # images at once: their maps stay in the processor's cache
CHUNK = 64  # images whose features are written together


def features(
    name: str, images: NDArray[Any], *, maximum: float, change: ImageChange | None = None
) -> NDArray[np.float32]:
    """Return what the backbone called `name` gives for images, shape (n, 1, 1, n features).

    Pixels are 0 … `maximum`. Images are brought to the backbone's side; grey ones get three equal
    channels. Those that were seen before, changed in the same way, are taken from the cache.

    Raises
    ------
    DataError : the backbone's weights are not here
    """
    wanted = feature_cache.image_hashes(images, maximum=maximum)
    folder = feature_cache.features_folder(name, change)
    known = feature_cache.read_features(folder, wanted)
    if len(known) < len(set(wanted)):
        with lock_file(folder / "computing.lock"):  # another process may be at the same images
            known = compute(name, images, maximum=maximum, change=change)
    count = BACKBONES[name].features
    rows = [known[digest] for digest in wanted]
    return np.stack(rows).reshape(-1, 1, 1, count) if rows else np.empty((0, 1, 1, count), "f4")


def fresh_features(name: str, images: NDArray[Any], *, maximum: float) -> NDArray[np.float32]:
    """Return the same as `features`, computed now: none are taken from the cache or put there."""
    found = _computed(_compiled(name, None), images, maximum, np.zeros(len(images), np.uint32))
    return found.reshape(-1, 1, 1, BACKBONES[name].features)


def compute(
    name: str, images: NDArray[Any], *, maximum: float, change: ImageChange | None = None
) -> dict[bytes, NDArray[np.float32]]:
    """Compute and keep the features that are missing; return those of all images, by hash."""
    wanted = feature_cache.image_hashes(images, maximum=maximum)
    folder = feature_cache.features_folder(name, change)
    known = feature_cache.read_features(folder, wanted)
    rows_of = {digest: row for row, digest in enumerate(wanted) if digest not in known}
    missing = list(rows_of)
    for start in range(0, len(missing), CHUNK):
        hashes = missing[start : start + CHUNK]
        rows = [rows_of[digest] for digest in hashes]
        draws = np.asarray([int.from_bytes(digest[:4], "little") for digest in hashes], np.uint32)
        found = _computed(_compiled(name, change), images[rows], maximum, draws)
        feature_cache.write_features(folder, hashes, found)
        known.update(zip(hashes, found, strict=True))
    return known


def _computed(
    run: Any, images: NDArray[Any], maximum: float, draws: NDArray[np.uint32]
) -> NDArray[np.float32]:
    """Return the features of images; the last batch is filled up, so that one program serves."""
    parts = []
    for start in range(0, len(images), BATCH):
        batch = [each[start : start + BATCH] for each in (images, draws)]
        filled = [np.concatenate([b, np.repeat(b[:1], BATCH - len(b), axis=0)]) for b in batch]
        parts.append(np.asarray(run(*filled, np.float32(maximum)))[: len(batch[0])])
    return np.concatenate(parts)


def _compiled(name: str, change: ImageChange | None) -> Callable[..., Array]:
    return _program(name, "" if change is None else change.model_dump_json())


@lru_cache(maxsize=4)
@as_trained()
def _program(name: str, changing: str) -> Callable[..., Array]:
    change = ImageChange.model_validate_json(changing) if changing else None
    layers = augmenting(change.layers) if change is not None else []
    number = 0 if change is None else change.number
    seen, found = jax.jit(partial(_seen, BACKBONES[name].side, layers, number)), _network(name)
    return lambda images, draws, maximum: found(seen(images, draws, maximum))


@lru_cache(maxsize=1)
def _network(name: str) -> Callable[[Array], Array]:
    """Return the backbone itself, compiled once for images of any size and for all passes."""
    network = load(name)

    def run(trainable: Any, others: Any, inputs: Array) -> Array:
        with as_trained():  # while it is traced
            return stateless_predict(network, trainable, others, inputs)

    return partial(jax.jit(run), *values(network))


def _seen(
    side: int, layers: Sequence[Any], number: int, images: Array, draws: Array, maximum: Array
) -> Array:
    """Return what the backbone is given: images changed by the layers, brought to its side."""
    if layers:
        scaled, key = images.astype(jnp.float32) / maximum, jax.random.key(number)
        images, maximum = _changed(layers, scaled, draws, key), 1.0
    return as_seen(images, maximum, (side, side, 3))


def _changed(layers: Sequence[Any], images: Array, draws: Array, key: Array) -> Array:
    """Return images of pixels in [0, 1], each changed by the layers with draws of its own."""

    def changed(image: Array, draw: Array) -> Array:
        values = image[None]
        with random_key(jax.random.fold_in(key, draw)):
            for layer in layers:
                values = layer(values, training=True)
        return values[0]

    return jax.vmap(changed)(images, draws)


def as_seen(
    images: Array, maximum: Array | float, shape: tuple[int, int, int], *, white: float = 255.0
) -> Array:
    """Return images as pixels 0…`white`, float32, shape (n, *shape)."""
    pixels = images.astype(jnp.float32) * (white / maximum)
    if images.shape[3] != shape[2]:
        pixels = pixels @ jnp.asarray(channel_weights(images.shape[3], shape[2]))
    if images.shape[1:3] == shape[:2]:
        return pixels
    return jax.image.resize(pixels, (images.shape[0], *shape), "bilinear")


def channel_weights(before: int, after: int) -> NDArray[np.float32]:
    """Return what turns grey into three equal channels, or colour into grey: (before, after)."""
    if before == 1:
        return np.ones((1, after), np.float32)
    return np.asarray([[0.299], [0.587], [0.114]], np.float32)
