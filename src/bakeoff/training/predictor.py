"""A trained model that predicts again and again: weights stay on the device, few programs compiled.

Batches are padded to a few sizes, so that any number of images needs at most as many programs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.recipe import ModelRecipe
from bakeoff.training.backbones.features import features
from bakeoff.training.backend import as_trained, jax, require_jax
from bakeoff.training.build_model import build
from bakeoff.training.layers.context import pixels
from bakeoff.training.saved_weights import in_order
from bakeoff.training.stateless import stateless_predict

SIZES = (1, 4, 16, 64, 256)  # images in a batch

jnp = jax.numpy


class Predictor:
    """A model with the weights of one seed or several; call it with images.

    Parameters
    ----------
    weights : of each seed, as a trial's weights.safetensors holds them
    input_shape : height, width, channels
    maximum : the pixel value that becomes 1.0

    Raises ValueError if the weights are not this model's, UsageError if this process uses Keras
    with another backend. A backbone's features are those of
    `features`, kept by the images' hashes.
    """

    def __init__(
        self,
        model: ModelRecipe,
        weights: Sequence[Mapping[str, NDArray[Any]]],
        *,
        input_shape: tuple[int, int, int],
        n_classes: int,
        maximum: float,
    ) -> None:
        require_jax()
        self._backbone, self._maximum = model.frozen_backbone, maximum
        if model.frozen_backbone is not None:
            maximum = 1.0  # of its features
        with as_trained():
            network = build(model, input_shape, n_classes, seed=0)
        cut = len(network.trainable_variables)
        self._values = [[jnp.asarray(v) for v in in_order(each, network)] for each in weights]
        self._n_classes = n_classes

        def run(values: Any, images: Any) -> Any:
            inputs = images.astype(jnp.float32) / maximum
            with as_trained(), pixels(images, maximum):  # while it is traced
                outputs = [
                    stateless_predict(network, each[:cut], each[cut:], inputs) for each in values
                ]
            return jnp.stack(outputs)

        self._run = jax.jit(run)

    def __call__(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Return probabilities, float32, shape (seeds, n_images, n_classes).

        images : shape (n_images, height, width, channels), pixels as the data set stores them
        """
        if self._backbone is not None:
            images = features(self._backbone, images, maximum=self._maximum)
        largest = SIZES[-1]
        parts = [
            self._batch(images[start : start + largest]) for start in range(0, len(images), largest)
        ]
        if not parts:
            return np.zeros((len(self._values), 0, self._n_classes), np.float32)
        return np.concatenate(parts, axis=1)

    def _batch(self, images: NDArray[Any]) -> NDArray[np.float32]:
        size = next(each for each in SIZES if each >= len(images))
        padded = images
        if size > len(images):
            padded = np.zeros((size, *images.shape[1:]), images.dtype)
            padded[: len(images)] = images
        return np.asarray(self._run(self._values, padded))[:, : len(images)]

    def warm_up(self, shape: tuple[int, int, int], dtype: Any) -> None:
        """Compile every size, so that the first predictions are not slow."""
        if self._backbone is not None:
            found = features(self._backbone, np.zeros((1, *shape), dtype), maximum=self._maximum)
            shape, dtype = found.shape[1:], found.dtype
        for size in SIZES:
            self._batch(np.zeros((size, *shape), dtype))
