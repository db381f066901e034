"""One search of benchmarks/tuning.py, in a process of its own.

    python -m benchmarks.searching bakeoff|hyperband|optuna JSON

Bakeoff's, or tuning with Keras as people do it: KerasTuner's Hyperband, or Optuna around a plain
`fit`. The JSON holds a Search, the time at which this process was started, and for the others the
folder of the images. After every epoch a line of JSON goes to standard output: seconds since the
process was started, and the validation accuracy. So everybody's time includes imports and reading.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

Values = dict[str, Any]
Draw = Callable[[str, Any], Any]


class OutOfTime(BaseException):
    """The search may not go on; KerasTuner would keep any Exception to itself."""


class Clock:
    """Writes a line after each epoch, and ends the search when its time is up.

    started : of the process, as `time.time` has it
    minutes : how long the search may take; None: until it ends by itself
    """

    def __init__(self, started: float, minutes: float | None) -> None:
        self._started, self._minutes = started, minutes

    def epoch(self, accuracy: float) -> None:
        """Write an epoch's line; raise OutOfTime after the last that counts."""
        seconds = time.time() - self._started
        line = {"seconds": round(seconds, 3), "accuracy": accuracy}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        if self._minutes is not None and seconds > 60 * self._minutes:
            raise OutOfTime


def bakeoff(search: Values, clock: Clock) -> None:
    """Bakeoff's TPE and median pruning, a setting on each core."""
    from bakeoff.study.tuning.tune import tune
    from bakeoff.utils.events import EpochResult, Watcher
    from benchmarks.machine import cores
    from benchmarks.tuning import Search

    class Report(Watcher):
        def epoch(self, label: str, result: EpochResult) -> None:
            if result.val_accuracy is not None:
                clock.epoch(result.val_accuracy)

    declared = Search(**{field.name: search[field.name] for field in fields(Search)})
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "study"
        tune(declared.recipe, out=place, workers=cores(), device="cpu", watcher=Report())


def values(search: Values, draw: Draw) -> Values:
    """Draw a value for each choice of the search."""
    return {name: draw(name, form) for name, form in search["choices"].items()}


def build(keras: Any, search: Values, chosen: Values) -> Any:
    """Build and compile the network of a setting."""
    layers = keras.layers
    stack = [keras.Input(tuple(search["shape"]))]
    if search["workload"] == "cnn":
        for filters in (chosen["filters"], chosen["filters_2"]):
            stack += [layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D(2)]
    stack += [
        layers.Flatten(),
        layers.Dense(chosen["units"], activation="relu"),
        layers.Dropout(chosen["rate"]),
        layers.Dense(search["n_classes"], activation="softmax"),
    ]
    model = keras.Sequential(stack)
    model.compile(
        optimizer=keras.optimizers.Adam(chosen["learning_rate"]),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        # On TensorFlow's CPU convolutions are faster without XLA (docs/benchmarks.md).
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )
    return model


def hyperband(search: Values, clock: Clock) -> None:
    """KerasTuner's Hyperband, as its documentation has it."""
    import keras
    import keras_tuner

    data = loaded(keras, search)

    class Report(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Values | None = None) -> None:
            clock.epoch(float((logs or {})["val_accuracy"]))

    class Hyper(keras_tuner.HyperModel):  # type: ignore[misc]
        def build(self, hp: Any) -> Any:
            def draw(name: str, form: Values) -> Any:
                (kind, what), *_ = form.items()
                if kind == "choice":
                    return hp.Choice(name, what)
                sampling = "log" if kind == "log" else "linear"
                return hp.Float(name, what[0], what[1], sampling=sampling)

            return build(keras, search, values(search, draw))

        def fit(self, hp: Any, model: Any, *given: Any, **more: Any) -> Any:
            more["batch_size"] = hp.get("batch_size")
            more["callbacks"] = [*more.get("callbacks", ()), Report()]
            return model.fit(*given, **more)

    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.Hyperband(
            Hyper(),
            objective="val_accuracy",
            max_epochs=search["epochs"],
            hyperband_iterations=10,  # until its time is up
            seed=search["seed"],
            directory=folder,
            project_name="search",
        )
        held = (data["held"], data["truth"])
        tuner.search(data["images"], data["labels"], validation_data=held, verbose=0)


def optuna(search: Values, clock: Clock) -> None:
    """Optuna's TPE and median pruner around a plain `fit`, as its documentation has it."""
    import keras
    import optuna as library

    library.logging.set_verbosity(library.logging.WARNING)
    data = loaded(keras, search)

    def objective(trial: Any) -> float:
        def draw(name: str, form: Values) -> Any:
            (kind, what), *_ = form.items()
            if kind == "choice":
                return trial.suggest_categorical(name, what)
            return trial.suggest_float(name, what[0], what[1], log=kind == "log")

        chosen = values(search, draw)
        keras.backend.clear_session()
        best = [0.0]

        class Report(keras.callbacks.Callback):  # type: ignore[misc]
            def on_epoch_end(self, epoch: int, logs: Values | None = None) -> None:
                accuracy = float((logs or {})["val_accuracy"])
                best[0] = max(best[0], accuracy)
                clock.epoch(accuracy)
                trial.report(accuracy, epoch)
                if trial.should_prune():
                    raise library.TrialPruned

        build(keras, search, chosen).fit(
            data["images"],
            data["labels"],
            batch_size=chosen["batch_size"],
            epochs=search["epochs"],
            validation_data=(data["held"], data["truth"]),
            callbacks=[Report()],
            verbose=0,
        )
        return best[0]

    study = library.create_study(
        direction="maximize",
        sampler=library.samplers.TPESampler(seed=search["seed"]),
        pruner=library.pruners.MedianPruner(n_startup_trials=5),
    )
    study.optimize(objective, n_trials=search["settings"])


def loaded(keras: Any, search: Values) -> Values:
    """Return the images of a search of Keras; its seed is set and `shape` added to the search."""
    keras.utils.set_random_seed(search["seed"])
    folder = Path(search["folder"])
    names = ("images", "labels", "held", "truth")
    data = {name: np.load(folder / f"{name}.npy") for name in names}
    search["shape"] = data["images"].shape[1:]
    return data


def main() -> None:
    """Carry out the search that the command line names."""
    which, search = sys.argv[1], json.loads(sys.argv[2])
    clock = Clock(search["started"], search["minutes"])
    with suppress(OutOfTime):
        {"bakeoff": bakeoff, "hyperband": hyperband, "optuna": optuna}[which](search, clock)


if __name__ == "__main__":
    main()
