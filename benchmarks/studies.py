"""Time and memory of whole studies as they get more models, or more folds.

Every study is of the digits and of small networks, each with as many units as no other has, and is
carried out by the command, comparing and report included.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.comparing import timed
from benchmarks.digits import bakeoff
from benchmarks.journal import Journal
from benchmarks.speed import Say

AXES: dict[str, tuple[int, ...]] = {"models": (2, 10, 30, 100), "folds": (2, 5, 10)}
SEEDS, EPOCHS = 3, 5  # of a model; with folds, SEEDS repeats
_FEW = 2  # models where folds grow


@dataclass(frozen=True)
class StudyCase:
    """A study of so many models, or of two models in so many folds."""

    axis: str
    factor: int

    @property
    def networks(self) -> int:
        """How many networks are trained."""
        models, folds = (self.factor, 1) if self.axis == "models" else (_FEW, self.factor)
        return models * folds * SEEDS

    def recipe(self) -> dict[str, Any]:
        """Return the study's recipe; JSON is YAML."""
        count = self.factor if self.axis == "models" else _FEW
        divided: dict[str, Any] = {"seeds": SEEDS}
        if self.axis == "folds":
            divided = {"split": {"folds": self.factor, "repeats": SEEDS}}
        return {
            "name": f"{self.axis}-{self.factor}",
            "data": "digits",
            "training": {"epochs": EPOCHS, "batch_size": 32, "optimizer": "adam"},
            "models": {
                f"mlp-{16 + k}": {"layers": [{"dense": {"units": 16 + k, "activation": "relu"}}]}
                for k in range(count)
            },
            **divided,
        }


def cases() -> list[StudyCase]:
    """Return the cases, the small ones of each axis first."""
    return [StudyCase(axis, factor) for axis, factors in AXES.items() for factor in factors]


def measure(journal: Journal, *, repeats: int, say: Say) -> None:
    """Carry out the studies that are missing."""
    for case, where in journal.missing("studies", cases(), repeats=repeats):
        took = _run(case)
        journal.append("studies", **where, networks=case.networks, **took)
        say(
            f"studies  {case.factor} {case.axis}, {case.networks} networks  "
            f"{took['seconds']:.1f} s, {took['peak_bytes'] / 1e6:.0f} MB"
        )


def _run(case: StudyCase) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bakeoff-bench-") as name:
        folder = Path(name)
        recipe = folder / "recipe.yaml"
        recipe.write_text(json.dumps(case.recipe()), encoding="utf-8")
        command = bakeoff("run", str(recipe), "--out", str(folder / "study"), "--json")
        return timed(command, log=folder / "log")
