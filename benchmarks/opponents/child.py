"""One process of one opponent: it does what lines of JSON on standard input say, one at a time.

The first line is the Task. Then come orders, each answered by one line when it is done:

{"do": "prepare", "settings": {…}}          build the model anew          → {"parameters": …}
{"do": "train", "images": n, "epochs": k}   train over the first n images → {"seconds": …, …}
{"do": "score"}                             accuracy on the images held out → {"accuracy": …}
{"do": "versions", "names": […]}            what is imported               → {name: version}

Whatever libraries print goes to standard error. The process ends with its standard input.
"""

import json
import math
import os
import resource
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from bakeoff.recipe import ModelRecipe
from benchmarks.opponents.held import hold
from benchmarks.workloads import Material, load, material

Settings = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """What a process trains: a model of a shipped recipe, with a seed, on so many threads.

    held_out : how many of the last training images are kept from training, to score on
    """

    recipe: str
    model: str
    seed: int
    threads: int
    held_out: int = 0
    extra: Settings = field(default_factory=dict)

    @cached_property
    def declared(self) -> ModelRecipe:
        """The model."""
        return load(self.recipe).models[self.model]

    @cached_property
    def both(self) -> tuple[Material, Material]:
        """The images to train on, and those held out."""
        whole = material(self.recipe)
        cut = len(whole.labels) - self.held_out

        def part(rows: slice) -> Material:
            return Material(whole.images[rows], whole.labels[rows], whole.maximum, whole.n_classes)

        return part(slice(cut)), part(slice(cut, None))

    def rates(self, epochs: int) -> list[float]:
        """Return the learning rates of the first epochs, begun again where the recipe ends."""
        training = self.declared.training
        rates = training.optimizer.learning_rates(training.epochs)
        return [float(rates[k % len(rates)]) for k in range(epochs)]


class Contestant(Protocol):
    """What a framework's script provides."""

    @property
    def parameters(self) -> int:
        """Parameters of the model as the framework counts them."""

    @property
    def detail(self) -> Settings:
        """What else the last training found out; mostly nothing."""

    def prepare(self, settings: Settings) -> None:
        """Build the model anew, with its initial weights."""

    def train(self, images: int, rates: Sequence[float]) -> float:
        """Train one epoch a rate over the first `images` images; return the seconds it took."""

    def score(self) -> float:
        """Return the accuracy on the images held out."""


def serve(make: Callable[[Task], Contestant]) -> None:
    """Obey until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    task = Task(**json.loads(sys.stdin.readline()))
    contestant = make(task)
    if "jaxlib" in sys.modules:
        hold()
    while line := sys.stdin.readline():
        answer = _obey(task, contestant, json.loads(line))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _obey(task: Task, contestant: Contestant, order: dict[str, Any]) -> dict[str, Any]:
    if order["do"] == "prepare":
        contestant.prepare(order["settings"])
        return {"parameters": contestant.parameters}
    if order["do"] == "train":
        images = order["images"] or len(task.both[0].labels)
        seconds = contestant.train(images, task.rates(order["epochs"]))
        steps = math.ceil(images / task.declared.training.batch_size) * order["epochs"]
        counts = {"steps": steps, "images": images, "peak_bytes": peak_bytes()}
        return {"seconds": seconds, **counts, **contestant.detail}
    if order["do"] == "score":
        return {"accuracy": contestant.score()}
    return {name: metadata.version(name) for name in order["names"]}


def peak_bytes() -> int:
    """Return the most memory this process has held, and not what its parent had at its start."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:  # macOS, where ru_maxrss is in bytes and this process's own
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = next(line for line in lines if line.startswith("VmHWM:"))
    return 1024 * int(peak.split()[1])
