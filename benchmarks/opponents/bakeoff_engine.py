"""Bakeoff: what one of its worker processes does with a trial, epoch by epoch."""

import os
import time
from collections.abc import Sequence
from typing import ClassVar

from bakeoff.training import backend
from bakeoff.training.native import load as native
from bakeoff.training.trainer import Development, Trainer
from benchmarks.opponents.child import Settings, Task, serve


class _Engine:
    """The engine's trainer; its program is compiled once for each number of images."""

    detail: ClassVar[Settings] = {}

    def __init__(self, task: Task) -> None:
        self._task = task
        self._trainer: Trainer | None = None
        self.parameters = 0

    def prepare(self, settings: Settings) -> None:
        self._trainer = None
        held = self._make(1).result()
        self.parameters = held.parameters

    def train(self, images: int, rates: Sequence[float]) -> float:
        seconds = 0.0
        self._trainer = self._make(images)
        for _ in rates:
            if self._trainer.done:
                self._trainer = self._make(images)
            started = time.perf_counter()
            self._trainer.epoch()
            seconds += time.perf_counter() - started
        return seconds

    def score(self) -> float:
        if self._trainer is None:
            raise ValueError("expected to be trained before it is scored")
        return float(self._trainer.history[-1].val_accuracy or 0.0)

    def _make(self, images: int) -> Trainer:
        train, held = self._task.both
        data = Development(
            train.images[:images],
            train.labels[:images],
            held.images,
            held.labels,
            train.maximum,
            train.n_classes,
        )
        return Trainer(self._task.declared, data, seed=self._task.seed, selection="last")


def _make(task: Task) -> _Engine:
    backend.start("cpu")
    wanted = os.environ.get(native.SWITCH)
    choice = native.choose()
    remark = choice.remark or native.load(choice)
    if wanted != "plain" and remark is not None:
        raise SystemExit(remark)
    return _Engine(task)


if __name__ == "__main__":
    serve(_make)
