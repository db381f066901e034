"""Features of images by frozen backbones: computed by all workers, before anybody needs them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bakeoff.recipe import ModelRecipe
from bakeoff.recipe.types import ImageChange
from bakeoff.recipe.vocabulary.backbones import BACKBONES
from bakeoff.storage import array_files, feature_cache
from bakeoff.utils.events import OnEpoch, Planned

ROWS = 128  # images of one job


@dataclass(frozen=True)
class FeatureJob:
    """Compute the features of some images of an npy file and keep them in the user's cache.

    change : how they are changed before; None: not at all
    """

    backbone: str
    images: str
    start: int
    stop: int
    maximum: float
    change: ImageChange | None = None

    @property
    def label(self) -> str:
        """What the job is called in messages."""
        part = Path(self.images).stem.replace("_", " ")
        changed = "" if self.change is None else f", pass {self.change.number}"
        return f"{self.backbone}, {part} {self.start + 1:,} to {self.stop:,}{changed}"

    @property
    def affinity(self) -> str:
        """Jobs of the same affinity share compiled programs."""
        return self.backbone if self.change is None else f"{self.backbone} {self.change.number}"

    @property
    def runs_user_code(self) -> bool:
        """Whether a Python builder makes its network: backbones are Bakeoff's own."""
        return False

    def run(self, on_epoch: OnEpoch) -> None:
        """Compute what is missing."""
        from bakeoff.training.backbones.features import compute

        images = array_files.read_npy(Path(self.images))[self.start : self.stop]
        compute(self.backbone, images, maximum=self.maximum, change=self.change)

    def claimed(self) -> AbstractContextManager[bool]:
        """Claim it without a lock: what two compute at once is the same."""
        return nullcontext(True)

    def reads(self) -> list[Path]:
        """Return the file of the images."""
        return [Path(self.images)]

    def writes(self) -> list[Path]:
        """Return the folder of the backbone's features in the user's cache."""
        return [feature_cache.features_folder(self.backbone, self.change)]

    def keeps(self) -> list[Path]:
        """Return nothing: it has no checkpoints."""
        return []


def feature_jobs(
    models: Sequence[ModelRecipe], path: Path, *, maximum: float, changed: bool = True
) -> list[tuple[Planned, FeatureJob]]:
    """Return jobs for the images of an npy file whose features a model needs and nobody has.

    changed : whether models may want these images changed: training images they do
    """
    wanted: dict[tuple[str, str], ImageChange | None] = {}
    for model in models:
        if model.frozen_backbone is not None:
            for change in (None, *(model.image_changes if changed else ())):
                what = (model.frozen_backbone, "" if change is None else change.identity)
                wanted[what] = change
    if not wanted:
        return []
    images = array_files.read_npy(path)
    hashes = feature_cache.image_hashes(images, maximum=maximum)
    jobs = []
    for (name, _), change in sorted(wanted.items(), key=lambda each: each[0]):
        known = feature_cache.read_features(feature_cache.features_folder(name, change), hashes)
        for start in range(0, len(images), ROWS):
            stop = min(start + ROWS, len(images))
            if any(digest not in known for digest in hashes[start:stop]):
                job = FeatureJob(name, str(path), start, stop, maximum, change)
                cost = float(BACKBONES[name].flops) * (stop - start)
                jobs.append((Planned(job.label, 0, cost), job))
    return jobs
