"""Features that a frozen backbone gives for images: computed once, kept by the images' hashes."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.recipe.vocabulary.backbones import BACKBONES, identity
from bakeoff.storage import feature_cache
from bakeoff.storage.atomic import lock_file
from bakeoff.training.backbones.load import load
from bakeoff.training.backend import jax

jnp = jax.numpy
Array = Any
BATCH = 8  # images at once: their maps stay in the processor's cache
CHUNK = 64  # images whose features are written together


def features(name: str, images: NDArray[Any], *, maximum: float) -> NDArray[np.float32]:
    """Return what the backbone called `name` gives for images, shape (n, 1, 1, n features).

    Pixels are 0 … `maximum`. Images are brought to the backbone's side; grey ones get three equal
    channels. Those that were seen before are taken from the cache.

    Raises
    ------
    DataError : the backbone's weights are not here
    """
    wanted = feature_cache.image_hashes(images, maximum=maximum)
    folder = feature_cache.features_folder(identity(name))
    known = feature_cache.read_features(folder, wanted)
    if len(known) < len(set(wanted)):
        with lock_file(folder / "computing.lock"):  # another process may be at the same images
            known = compute(name, images, maximum=maximum)
    count = BACKBONES[name].features
    rows = [known[digest] for digest in wanted]
    return np.stack(rows).reshape(-1, 1, 1, count) if rows else np.empty((0, 1, 1, count), "f4")


def fresh_features(name: str, images: NDArray[Any], *, maximum: float) -> NDArray[np.float32]:
    """Return the same as `features`, computed now: none are taken from the cache or put there."""
    found = _computed(_compiled(name), images, maximum)
    return found.reshape(-1, 1, 1, BACKBONES[name].features)


def compute(name: str, images: NDArray[Any], *, maximum: float) -> dict[bytes, NDArray[np.float32]]:
    """Compute and keep the features of those images of which there are none; return them all."""
    wanted = feature_cache.image_hashes(images, maximum=maximum)
    folder = feature_cache.features_folder(identity(name))
    known = feature_cache.read_features(folder, wanted)
    rows_of = {digest: row for row, digest in enumerate(wanted) if digest not in known}
    missing = list(rows_of)
    for start in range(0, len(missing), CHUNK):
        hashes = missing[start : start + CHUNK]
        rows = [rows_of[digest] for digest in hashes]
        found = _computed(_compiled(name), images[rows], maximum)
        feature_cache.write_features(folder, hashes, found)
        known.update(zip(hashes, found, strict=True))
    return known


def _computed(run: Any, images: NDArray[Any], maximum: float) -> NDArray[np.float32]:
    """Return the features of images; the last batch is filled up, so that one program serves."""
    parts = []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        filled = np.concatenate([batch, np.repeat(batch[:1], BATCH - len(batch), axis=0)])
        parts.append(np.asarray(run(filled, np.float32(maximum)))[: len(batch)])
    return np.concatenate(parts)


@lru_cache(maxsize=1)
def _compiled(name: str) -> Callable[..., Array]:
    network = load(name)
    weights = [variable.value for variable in network.trainable_variables]
    others = [variable.value for variable in network.non_trainable_variables]
    return partial(jax.jit(partial(_run, network, BACKBONES[name].side)), weights, others)


def _run(
    network: Any, side: int, weights: Any, others: Any, images: Array, maximum: Array
) -> Array:
    inputs = as_seen(images, maximum, (side, side, 3))
    found, _ = network.stateless_call(weights, others, inputs, training=False)
    return found


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
