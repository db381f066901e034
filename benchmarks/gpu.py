"""Bakeoff on a GPU: checks, and speed beside Keras and PyTorch on the same card; one JSON file.

    python -m benchmarks.gpu                           # on a GPU, in under 8 minutes
    python -m benchmarks.gpu --device cpu --share 0.1  # the same once through, smaller, on a CPU

Nothing is installed or downloaded: images are made up in MNIST's shape, which takes as long, and
PyTorch is left out where it is missing. Each measurement is a process of its own, which has the
card's memory to itself, and a share of the time.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bakeoff import recipe as recipes
from bakeoff.recipe import ModelRecipe
from bakeoff.storage import atomic
from bakeoff.utils.text import listed
from benchmarks.contestants import REPOSITORY
from benchmarks.machine import machine, versions

WORKLOADS = {  # name: (shipped recipe, images of an epoch)
    "model-8": ("notebook-002", 20_480),
    "dense": ("notebook-001", 20_480),
    "cnn": ("notebook-001", 8_192),
    "fashion-cnn": ("notebook-003", 4_096),
}
DOCUMENT = REPOSITORY / "docs" / "gpu.json"  # `python -m benchmarks write` takes it in
SEEDS = (1, 8, 32, 128)
OTHERS = ("keras", "torch")
ENTERED = (  # for every workload, before the next: what targets are set for has figures first
    ("bakeoff", 32),
    ("keras", 1),
    ("torch", 1),
    *(("bakeoff", n) for n in (8, 1, 128)),
)
SHAPE, CLASSES = (28, 28, 1), 10
TARGETS = {"model-8": 20.0, "dense": 20.0, "cnn": 5.0, "fashion-cnn": 5.0}  # x Keras, 32 seeds
TARGET_SEEDS = 32
_MOST_EPOCHS = 5  # timed, of each measurement, after one that compiles
_LEAST_LIMIT = 25  # seconds that any measurement may take, while there is time
_AGREE = 1e-3  # weights after an epoch, beside keras.Model.fit
_RESULT = "result: "

Plain = dict[str, Any]


# ── in a process of its own ──────────────────────────────────────────────────────────────────


def declared(name: str) -> ModelRecipe:
    """Return a workload's model, declared to train for as many epochs as are run, at least."""
    model = recipes.load(WORKLOADS[name][0]).models[name]
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
    network = torch_model.build(model, SHAPE[2], SHAPE[:2], CLASSES).to(device)
    way = "foreach" if model.training.optimizer.kind == "rmsprop" else "fused"
    optimizer = torch_model.optimizer(network, model, way=way)
    forward = torch.compile(network, dynamic=False)

    def epoch() -> None:
        total = torch.zeros((), device=device)
        for rows in torch.randperm(len(inputs), device=device).split(model.training.batch_size):
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
    """Return whether lanes agree bit for bit whatever the others are, and with keras.Model.fit."""
    from bakeoff.training import backend, multi_trial
    from bakeoff.training.trainer import Trainer

    backend.start(task["device"])
    data = _development(task["images"])
    found: Plain = {"device": str(backend.jax.local_devices()[0].device_kind)}
    for name in ("dense", "cnn", "fashion-cnn"):
        model = declared(name)

        def weights(seeds: Sequence[int], lane: int, model: Any = model) -> list[Any]:
            trainers = [Trainer(model, data, seed=seed, selection="last") for seed in seeds]
            multi_trial.epoch(trainers, lanes=len(trainers))
            return [np.asarray(each) for each in backend.jax.tree.leaves(trainers[lane].state)]

        pairs = zip(weights((0, 1, 2, 3), 0), weights((7, 6, 5, 0), 3), strict=True)
        found[f"{name}: lanes bit-equal"] = all(np.array_equal(a, b) for a, b in pairs)
        off = _off_keras(model, data, backend)
        found[f"{name}: largest difference to Keras"] = off
        found[f"{name}: equal to Keras"] = off < _AGREE
    return {**found, "peak_bytes": _peak(backend.jax)}


def _off_keras(model: ModelRecipe, data: Any, backend: Any) -> float:
    """Return how far a lane's weights are from Keras's after an epoch of SGD without dropout."""
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
    theirs = [np.asarray(each) for each in network.get_weights()]
    ours = list(trainer.result().weights.values())
    return max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))


_PARTS: dict[str, Callable[[Plain], Plain]] = {
    "check": check,
    "bakeoff": measure_bakeoff,
    "keras": measure_keras,
    "torch": measure_torch,
}


# ── the whole of it ──────────────────────────────────────────────────────────────────────────


def ask(task: Plain, limit: float) -> Plain:
    """Do a task in a process of its own; return what it found, or why it did not."""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "2"}
    if task["device"] == "cpu":
        environment["JAX_PLATFORMS"] = "cpu"
    command = [sys.executable, "-m", "benchmarks.gpu", "--task", json.dumps(task)]
    try:
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"skipped": f"it took longer than {limit:.0f} s"}
    for line in reversed(done.stdout.splitlines()):
        if line.startswith(_RESULT):
            return dict(json.loads(line.removeprefix(_RESULT)))
    lines = done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"]
    return {"skipped": lines[-1][:300]}


def carry_out(device: str, *, share: float, seconds: float, say: Callable[[str], None]) -> Plain:
    """Check and measure everything; return the document.

    share : of the images of an epoch
    seconds : for all of it; what does not fit is left out, and said to be
    """
    ends = time.monotonic() + seconds
    tasks = [(name, who, n) for who, n in ENTERED for name in WORKLOADS]
    sizes = {
        name: max(256, int(images * share) // 128 * 128) for name, (_, images) in WORKLOADS.items()
    }
    checks = ask({"part": "check", "device": device, "images": 512}, limit=0.25 * seconds)
    say(f"checks: {checks}")
    found: dict[str, Plain] = {name: {"images": sizes[name]} for name in WORKLOADS}
    for done, (name, who, n) in enumerate(tasks):
        left = ends - time.monotonic()
        part = left / (len(tasks) - done)
        task = {"part": who, "device": device, "workload": name, "seeds": n, "images": sizes[name]}
        limit = max(3 * part, _LEAST_LIMIT)
        result: Plain = (
            ask({**task, "seconds": 0.5 * part}, limit=min(limit, left))
            if left > 5
            else {"skipped": "no time was left"}
        )
        if "epoch_seconds" in result:
            result["images_per_second"] = n * sizes[name] / result["epoch_seconds"]
        key = who if who in OTHERS else str(n)
        found[name][key] = result
        say(f"{name}, {who}{f', {n} seeds' if key != who else ''}: {result}")
    return {
        "machine": machine(),
        "versions": versions(),
        "device": device,
        "share": share,
        "seconds": round(seconds - (ends - time.monotonic()), 1),
        "date": time.strftime("%Y-%m-%d"),
        "checks": checks,
        "workloads": found,
    }


def table(document: Plain) -> str:
    """Return the document as Markdown: a sentence and a table for docs/benchmarks.md."""
    checks = document["checks"]
    failed = [name for name, passed in checks.items() if passed is False]
    verdict = f"failed: {', '.join(failed)}" if failed else "all passed"
    if "skipped" in checks:
        verdict = f"not done: {checks['skipped']}"
    name = checks.get("device", document["device"])
    heads = [*(f"{n} seeds" if n > 1 else "1 seed" for n in SEEDS), *OTHERS]
    lines = [
        f"measured on {name}, {document['date']} (`python -m benchmarks.gpu`). Checks: {verdict}. "
        "Images a second, all seeds together, in thousands; Keras `fit` on JAX and a compiled "
        f"PyTorch loop train one seed.{_added(document)}",
        "",
        f"| model | {' | '.join(heads)} | {TARGET_SEEDS} seeds over Keras | target |",
        f"| --- |{' --- |' * (len(heads) + 2)}",
    ]
    for workload, found in document["workloads"].items():
        speeds = [found[key].get("images_per_second") for key in (*map(str, SEEDS), *OTHERS)]
        cells = ["–" if each is None else f"{each / 1000:,.1f}" for each in speeds]
        ours, theirs = (found[key].get("images_per_second") for key in (str(TARGET_SEEDS), "keras"))
        ratio, target = "–", f"{TARGETS[workload]:.0f} ×"
        if ours and theirs:
            ratio = f"{ours / theirs:.1f} ×"
            target += ": yes" if ours / theirs >= TARGETS[workload] else ": **no**"
        lines.append(f"| `{workload}` | {' | '.join(cells)} | {ratio} | {target} |")
    return "\n".join(lines)


def _added(document: Plain) -> str:
    """Return what else there is to say: what the one command did not measure, a note by hand."""
    names = [f"`{name}`" for name in document.get("added", ())]
    said = (
        [f"Measured one by one, minutes later on the same card: {listed(names)}."] if names else []
    )
    return "".join(f" {each}" for each in (*said, document.get("note")) if each)


def measured(path: Path = DOCUMENT) -> str | None:
    """Return what docs/benchmarks.md says of the GPU; None before it was measured on one."""
    if not path.is_file():
        return None
    document = json.loads(path.read_text(encoding="utf-8"))
    return table(document) if document["device"] == "gpu" else None


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the command line; return the exit code: 1 if a check failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--share", type=float, default=1.0, help="of the images of an epoch")
    parser.add_argument("--seconds", type=float, default=450.0, help="for all of it")
    parser.add_argument("--out", type=Path, default=DOCUMENT)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.task:
        task = json.loads(options.task)
        sys.stdout.write(f"{_RESULT}{json.dumps(_PARTS[task['part']](task))}\n")
        return 0
    document = carry_out(
        options.device,
        share=options.share,
        seconds=options.seconds,
        say=_say,
    )
    atomic.write_file(options.out, (json.dumps(document, indent=1) + "\n").encode())
    sys.stdout.write(f"{table(document)}\n\n{options.out}\n")
    passed = not any(value is False for value in document["checks"].values())
    return 0 if passed and "skipped" not in document["checks"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
