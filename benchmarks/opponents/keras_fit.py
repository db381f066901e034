"""Keras: `fit` on the backend that KERAS_BACKEND names, data in memory as float32 arrays.

settings: jit (jit_compile), steps (steps_per_execution), format (image_data_format).
"""

import os
import sys
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from bakeoff.recipe import Layer, ModelRecipe
from bakeoff.recipe.vocabulary.residual import RESIDUAL, shortcut
from benchmarks.opponents.child import Settings, Task, serve

LAYERS = {
    "dense": "Dense",
    "conv2d": "Conv2D",
    "depthwise_conv2d": "DepthwiseConv2D",
    "max_pooling2d": "MaxPooling2D",
    "average_pooling2d": "AveragePooling2D",
    "global_average_pooling2d": "GlobalAveragePooling2D",
    "flatten": "Flatten",
    "dropout": "Dropout",
    "batch_normalization": "BatchNormalization",
    "activation": "Activation",
    "p_re_lu": "PReLU",
    "leaky_re_lu": "LeakyReLU",
    "elu": "ELU",
}
OPTIMIZERS = {"sgd": "SGD", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"}


class _Fit:
    detail: ClassVar[Settings] = {}

    def __init__(self, task: Task, keras: Any) -> None:
        self._task, self._keras = task, keras
        train, held = task.both
        self._images, self._labels = train.scaled(), train.labels.astype("int32")
        self._held, self._truth = held.scaled(), held.labels
        self._model: Any = None
        self._first = False

    @property
    def parameters(self) -> int:
        return int(self._model.count_params())

    def prepare(self, settings: Settings) -> None:
        keras, training = self._keras, self._task.declared.training
        keras.backend.clear_session()
        keras.utils.set_random_seed(self._task.seed)
        self._first = settings.get("format") == "channels_first"
        keras.config.set_image_data_format("channels_first" if self._first else "channels_last")
        self._model = build(
            keras,
            self._task.declared,
            self._transposed(self._images[:1]).shape[1:],
            self._task.both[0].n_classes,
        )
        optimizer = getattr(keras.optimizers, OPTIMIZERS[training.optimizer.kind])
        self._model.compile(
            optimizer=optimizer(
                learning_rate=self._task.rates(1)[0], **training.optimizer.arguments
            ),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            jit_compile=settings["jit"],
            steps_per_execution=settings["steps"],
        )

    def train(self, images: int, rates: Sequence[float]) -> float:
        callbacks = []
        if len(set(rates)) > 1:
            callbacks = [self._keras.callbacks.LearningRateScheduler(lambda epoch: rates[epoch])]
        x, y = self._transposed(self._images[:images]), self._labels[:images]
        started = time.perf_counter()
        self._model.fit(
            x,
            y,
            batch_size=self._task.declared.training.batch_size,
            epochs=len(rates),
            callbacks=callbacks,
            verbose=0,
        )
        return time.perf_counter() - started

    def score(self) -> float:
        found = self._model.predict(self._transposed(self._held), batch_size=500, verbose=0)
        return float((found.argmax(axis=1) == self._truth).mean())

    def _transposed(self, images: Any) -> Any:
        return images.transpose(0, 3, 1, 2) if self._first else images


def build(keras: Any, declared: ModelRecipe, shape: tuple[int, ...], n_classes: int) -> Any:
    """Return the recipe's model of Keras's own layers."""
    inputs = keras.Input(shape)
    values = _through(keras, inputs, declared.layers or ())
    if len(values.shape) > 2:
        values = keras.layers.Flatten()(values)
    output = _arguments(keras, declared.output)
    dense = keras.layers.Dense(n_classes, activation="softmax", **output)
    return keras.Model(inputs, dense(values))


def _through(keras: Any, values: Any, stack: Sequence[Layer]) -> Any:
    for layer in stack:
        if layer.kind == RESIDUAL:
            inner = _through(keras, values, layer.layers)
            short = shortcut(*(_map(keras, each) for each in (values, inner)))
            if short is not None:
                values = _made(keras, short[0], short[1].plain())(values)
            values = keras.layers.Add()([inner, values])
            continue
        if layer.kind == "dense" and len(values.shape) > 2:
            values = keras.layers.Flatten()(values)
        values = _made(keras, layer.kind, layer.arguments)(values)
    return values


def _map(keras: Any, values: Any) -> tuple[int, ...]:
    """Return the shape of one image's values, channels last."""
    shape = tuple(values.shape[1:])
    first = len(shape) == 3 and keras.config.image_data_format() == "channels_first"
    return (*shape[1:], shape[0]) if first else shape


def _made(keras: Any, kind: str, declared: dict[str, Any]) -> Any:
    arguments = _arguments(keras, declared)
    if kind == "batch_normalization" and keras.config.image_data_format() == "channels_first":
        arguments["axis"] = 1
    return getattr(keras.layers, LAYERS[kind])(**arguments)


def _arguments(keras: Any, declared: dict[str, Any]) -> dict[str, Any]:
    """Return a layer's arguments, regularisers as Keras wants them."""

    def plain(name: str, value: Any) -> Any:
        if name.endswith("_regularizer") and value:
            return keras.regularizers.L1L2(l1=value.get("l1", 0.0), l2=value.get("l2", 0.0))
        return value

    return {name: plain(name, value) for name, value in declared.items()}


def _make(task: Task) -> _Fit:
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        sys.modules["tensorflow"] = None  # type: ignore[assignment]  # Keras loads it if it can
    if os.environ["KERAS_BACKEND"] == "tensorflow" and task.threads == 1:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    if os.environ["KERAS_BACKEND"] == "torch":
        import torch

        torch.set_num_threads(task.threads)
    import keras

    return _Fit(task, keras)


if __name__ == "__main__":
    serve(_make)
