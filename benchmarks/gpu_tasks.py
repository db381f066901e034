"""What `benchmarks.gpu` does in a process of its own: one measurement, or one model's checks."""

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np

from bakeoff import recipe as recipes
from bakeoff.recipe import ModelRecipe

RECIPES = {  # of each workload
    "model-8": "notebook-002",
    "dense": "notebook-001",
    "cnn": "notebook-001",
    "fashion-cnn": "notebook-003",
}
SHAPE, CLASSES = (28, 28, 1), 10
_MOST_EPOCHS = 5  # timed, of each measurement, after one that compiles
_AGREE = 1e-3  # weights after an epoch, beside keras.Model.fit

Plain = dict[str, Any]


def declared(name: str) -> ModelRecipe:
    """Return a workload's model, declared to train for as many epochs as are run, at least."""
    model = recipes.load(RECIPES[name]).models[name]
    epochs = max(model.training.epochs, 1 + _MOST_EPOCHS)
    return model.model_copy(
        update={"training": model.training.model_copy(update={"epochs": epochs})}
    )


def made_up(images: int) -> tuple[Any, Any]:
    """Return images of MNIST's shape, uint8, and labels."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (images, *SHAPE), np.uint8), rng.integers(0, CLASSES, images)


def _development(images: int) -> Any:
    from bakeoff.training.trainer import Development

    pixels, labels = made_up(images)
    return Development(pixels, labels, pixels[:0], labels[:0], 255.0, CLASSES)


def timed(epoch: Callable[[], None], seconds: float) -> Plain:
    """Run an epoch to compile it, then time as many as fit; return seconds of each, in the middle.

    seconds : for all of them; at least one is timed
    """
    started = time.perf_counter()
    epoch()
    first, took = time.perf_counter() - started, list[float]()
    while not took or (
        len(took) < _MOST_EPOCHS and time.perf_counter() - started + took[-1] < seconds
    ):
        begun = time.perf_counter()
        epoch()
        took.append(time.perf_counter() - begun)
    return {"first_seconds": first, "epoch_seconds": median(took), "epochs": len(took)}


def measure_bakeoff(task: Plain) -> Plain:
    """Time an epoch of several seeds in one program."""
    from bakeoff.training import backend, multi_trial
    from bakeoff.training.trainer import Trainer

    backend.start(task["device"])
    model = declared(task["workload"])
    data = multi_trial.resident(_development(task["images"]))
    trainers = [Trainer(model, data, seed=seed, selection="last") for seed in range(task["seeds"])]
    found = timed(lambda: _all(multi_trial.epoch(trainers, lanes=len(trainers))), task["seconds"])
    return {**found, "peak_bytes": _peak(backend.jax)}


def _all(results: Sequence[Any]) -> None:
    for each in results:
        assert each.finite


def _peak(jax: Any) -> int | None:
    stats = jax.local_devices()[0].memory_stats()
    return None if not stats else int(stats.get("peak_bytes_in_use", 0)) or None


def measure_keras(task: Plain) -> Plain:
    """Time an epoch of keras.Model.fit on JAX, one seed."""
    from bakeoff.training import backend
    from benchmarks.opponents.keras_fit import OPTIMIZERS, build

    backend.start(task["device"])
    model, keras = declared(task["workload"]), backend.keras
    images, labels = made_up(task["images"])
    network = build(keras, model, SHAPE, CLASSES)
    optimizer = getattr(keras.optimizers, OPTIMIZERS[model.training.optimizer.kind])
    network.compile(
        optimizer=optimizer(**model.training.optimizer.arguments),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=True,
        steps_per_execution=task["steps"],
    )
    inputs = images.astype(np.float32) / 255
    batch = model.training.batch_size
    found = timed(lambda: network.fit(inputs, labels, batch_size=batch, verbose=0), task["seconds"])
    return {**found, "peak_bytes": _peak(backend.jax)}


def measure_torch(task: Plain) -> Plain:
    """Time an epoch of a compiled PyTorch loop, one seed, images on the device."""
    try:
        import torch
    except ImportError:
        return {"skipped": "PyTorch is not installed"}
    from torch.nn import functional

    from benchmarks.opponents import torch_model

    model = declared(task["workload"])
    device = "cuda" if task["device"] == "gpu" else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        return {"skipped": "this PyTorch cannot use the GPU"}
    pixels, labels = made_up(task["images"])
    inputs = torch.from_numpy(pixels.transpose(0, 3, 1, 2).astype(np.float32) / 255).to(device)
    truth = torch.from_numpy(labels).to(device)
    torch.set_float32_matmul_precision("high")  # TF32 on a GPU, as JAX has it by default
    network = torch_model.build(model, SHAPE[2], SHAPE[:2], CLASSES).to(device)
    way = "foreach" if model.training.optimizer.kind == "rmsprop" else "fused"
    optimizer = torch_model.optimizer(network, model, way=way)
    forward = torch.compile(network, dynamic=False, mode=task["mode"])

    def epoch() -> None:
        total = torch.zeros((), device=device)
        for rows in torch.randperm(len(inputs), device=device).split(model.training.batch_size):
            torch.compiler.cudagraph_mark_step_begin()
            optimizer.zero_grad(set_to_none=True)
            loss = functional.cross_entropy(forward(inputs[rows]), truth[rows])
            loss.backward()
            optimizer.step()
            total += loss.detach()
        total.item()

    found = timed(epoch, task["seconds"])
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else None
    return {**found, "peak_bytes": peak}


def check(task: Plain) -> Plain:
    """Return whether lanes agree bit for bit whatever the others are, and with keras.Model.fit.

    They are held against Keras in full float32: the card's own default, TF32, rounds every factor
    to 10 bits, Keras's too, and so parts sums that are added in another order.
    """
    from bakeoff.training import backend, multi_trial
    from bakeoff.training.trainer import Trainer

    backend.start(task["device"])
    name, data = task["workload"], _development(task["images"])
    model = declared(name)

    def weights(seeds: Sequence[int], lane: int) -> list[Any]:
        trainers = [Trainer(model, data, seed=seed, selection="last") for seed in seeds]
        multi_trial.epoch(trainers, lanes=len(trainers))
        return [np.asarray(each) for each in backend.jax.tree.leaves(trainers[lane].state)]

    pairs = zip(weights((0, 1, 2, 3), 0), weights((7, 6, 5, 0), 3), strict=True)
    equal = all(np.array_equal(a, b) for a, b in pairs)
    with backend.jax.default_matmul_precision("highest"):
        ours, theirs = _after_an_epoch(model, data, backend)
    off = max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
    return {
        "device": str(backend.jax.local_devices()[0].device_kind),
        f"{name}: lanes bit-equal": equal,
        f"{name}: largest difference to Keras": off,
        f"{name}: equal to Keras": off < _AGREE,
        "peak_bytes": _peak(backend.jax),
    }


def _after_an_epoch(model: ModelRecipe, data: Any, backend: Any) -> tuple[list[Any], list[Any]]:
    """Return weights after an epoch of SGD without dropout: a lane's, and keras.Model.fit's."""
    from bakeoff.training import multi_trial
    from bakeoff.training.build_model import build
    from bakeoff.training.trainer import Trainer
    from benchmarks.opponents import keras_fit

    layers = tuple(layer for layer in model.layers or () if layer.kind != "dropout")
    optimizer = recipes.Optimizer.model_validate({"kind": "sgd"})
    training = model.training.model_copy(update={"optimizer": optimizer})
    plain = model.model_copy(update={"layers": layers, "training": training})
    trainer, mate = (Trainer(plain, data, seed=seed, selection="last") for seed in (0, 1))
    order = trainer.draws()[0]
    multi_trial.epoch([trainer, mate], lanes=2)
    network = keras_fit.build(backend.keras, plain, SHAPE, CLASSES)
    network.set_weights(build(plain, SHAPE, CLASSES, seed=0).get_weights())
    network.compile(
        optimizer=backend.keras.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy"
    )
    inputs = data.train_images[order].astype(np.float32) / 255
    batch = plain.training.batch_size
    network.fit(inputs, data.train_labels[order], batch_size=batch, shuffle=False, verbose=0)
    return list(trainer.result().weights.values()), [np.asarray(w) for w in network.get_weights()]


PARTS: dict[str, Callable[[Plain], Plain]] = {
    "check": check,
    "bakeoff": measure_bakeoff,
    "keras": measure_keras,
    "torch": measure_torch,
}
