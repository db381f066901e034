"""Python builders, tried before anything is trained: a bad one would else stop a run half-way."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bakeoff.recipe import ModelRecipe
from bakeoff.utils.events import OnEpoch, Planned


@dataclass(frozen=True)
class BuilderJob:
    """Build a model with a few seeds, look at it and forget it; RecipeError if it is bad.

    reference : "file.py:function"
    input_shape : height, width, channels
    """

    model: str
    reference: str
    input_shape: tuple[int, int, int]
    n_classes: int

    @property
    def label(self) -> str:
        """What the job is called in messages."""
        return f"{self.model}'s builder"

    @property
    def affinity(self) -> str:
        """Jobs of the same affinity share a process."""
        return self.model

    @property
    def runs_user_code(self) -> bool:
        """Whether a Python builder makes its network: that is what it is for."""
        return True

    def run(self, on_epoch: OnEpoch) -> None:
        """Try the builder."""
        from bakeoff.training.builders import builder_checks

        builder_checks.remarks(self.reference, self.input_shape, self.n_classes)

    def claimed(self) -> AbstractContextManager[bool]:
        """Claim it without a lock: it leaves nothing behind."""
        return nullcontext(True)

    def reads(self) -> list[Path]:
        """Return nothing: it sees no images."""
        return []

    def writes(self) -> list[Path]:
        """Return nothing."""
        return []

    def keeps(self) -> list[Path]:
        """Return nothing: it has no checkpoints."""
        return []


def builder_jobs(
    models: Sequence[ModelRecipe], input_shape: tuple[int, int, int], n_classes: int
) -> list[tuple[Planned, BuilderJob]]:
    """Return a job for each builder among several models; a single model's trial tries its own."""
    different = {model.name: model for model in models}
    if len(different) < 2:
        return []
    jobs = [
        BuilderJob(name, model.python, input_shape, n_classes)
        for name, model in different.items()
        if model.python is not None
    ]
    return [(Planned(job.label, 0, 1.0), job) for job in jobs]
