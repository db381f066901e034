"""Images moved and turned over at random: what the augmenting layers do, once it is drawn how.

A translation along an axis is one small matrix an image, so a batch is moved by two products; a
gather of every pixel, as in Keras, takes several times as long on a CPU.

Images are float32, (batch, height, width, channels).
"""

from typing import Any

from bakeoff.training.backend import jax

jnp = jax.numpy
Array = Any


def flip(images: Array, chosen: Array, axis: int) -> Array:
    """Turn over, along `axis`, the images that are `chosen`, bool (batch,)."""
    return jnp.where(chosen[:, None, None, None], jnp.flip(images, axis), images)


def translate(
    images: Array, shifts: Array, *, fill_mode: str, interpolation: str, fill_value: float
) -> Array:
    """Move each image down and to the right by `shifts`, pixels, float (batch, 2).

    fill_mode : what comes in at the edge, as in Keras: "constant" (`fill_value`), "nearest",
        "reflect" (the image mirrored, its edge pixel included) or "wrap"
    interpolation : "nearest" (whole pixels) or "bilinear"
    """
    height, width = images.shape[1:3]
    rows = _weights(height, shifts[:, 0], fill_mode, interpolation)
    columns = _weights(width, shifts[:, 1], fill_mode, interpolation)
    moved = jnp.einsum("bij,bjkc,blk->bilc", rows, images, columns)
    if fill_mode != "constant" or not fill_value:
        return moved
    inside = rows.sum(axis=2)[:, :, None] * columns.sum(axis=2)[:, None, :]
    return moved + fill_value * (1 - inside)[..., None]


def _weights(size: int, shifts: Array, fill_mode: str, interpolation: str) -> Array:
    """Return how much each pixel of a line counts for each after the shift: (batch, size, size)."""
    wanted = jnp.arange(size, dtype=jnp.float32) - shifts[:, None]
    if interpolation == "nearest":
        return _at(jnp.round(wanted), size, fill_mode)
    below = jnp.floor(wanted)
    share = (wanted - below)[..., None]
    return (1 - share) * _at(below, size, fill_mode) + share * _at(below + 1, size, fill_mode)


def _at(places: Array, size: int, fill_mode: str) -> Array:
    """Return 1 at each whole place, which `fill_mode` brings back if it is outside, else 0."""
    if fill_mode == "nearest":
        places = jnp.clip(places, 0, size - 1)
    elif fill_mode == "wrap":
        places = jnp.mod(places, size)
    elif fill_mode == "reflect":
        around = jnp.mod(places, 2 * size)
        places = jnp.minimum(around, 2 * size - 1 - around)
    return (places[..., None] == jnp.arange(size)).astype(jnp.float32)
