"""The job that fits a baseline on the training part; in cross-validation, one for each fold."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from bakeoff.storage import array_files, formats, written_folder
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.jobs.development_data import development_files, read_development
from bakeoff.study.jobs.job import Busy, timing_now
from bakeoff.training import baselines
from bakeoff.utils.events import OnEpoch


@dataclass(frozen=True)
class BaselineJob:
    """Fit a baseline on the training part; writes baselines/<name>/ of the study.

    data : folder with the training images; in cross-validation one of each fold
    """

    study: str
    name: str
    data: str | tuple[str, ...]
    maximum: float
    n_classes: int

    @property
    def label(self) -> str:
        """What the job is called in messages."""
        return f"{self.name} baseline"

    @property
    def affinity(self) -> str:
        """Jobs of the same affinity share compiled programs."""
        return self.label

    @property
    def runs_user_code(self) -> bool:
        """Whether a Python builder makes its network: it has none."""
        return False

    def run(self, on_epoch: OnEpoch) -> None:
        """Fit and write the baseline; raise Busy if somebody else is at it."""
        with self.claimed() as todo:
            if todo:
                self._fit(self._target)

    @property
    def _target(self) -> Path:
        return StudyFolder(self.study).baseline(self.name)

    @contextmanager
    def claimed(self) -> Iterator[bool]:
        """Hold the baseline's lock and give whether it is to be fitted."""
        folder = StudyFolder(self.study)
        folder.require_in_place()
        try:
            with folder.lock(f"baseline.{self.name}", timeout=0):
                yield not self._target.exists()
        except Timeout as error:
            raise Busy from error

    def reads(self) -> list[Path]:
        """Return the files of its images."""
        places = [self.data] if isinstance(self.data, str) else self.data
        return [file for place in places for file in development_files(Path(place))]

    def writes(self) -> list[Path]:
        """Return the baseline's folder."""
        return [self._target]

    def keeps(self) -> list[Path]:
        """Return nothing: it has no checkpoints."""
        return []

    def _fit(self, target: Path) -> None:
        if isinstance(self.data, str):
            places = {"": self.data}
        else:
            places = {f"fold-{fold}/": place for fold, place in enumerate(self.data)}
        started = time.monotonic()
        files, parameters = {}, 0
        for where, place in places.items():
            data = read_development(Path(place), maximum=self.maximum, n_classes=self.n_classes)
            weights = baselines.fit(
                self.name,
                data.train_images,
                data.train_labels,
                maximum=data.maximum,
                n_classes=data.n_classes,
            )
            parameters = baselines.parameters(self.name, weights)
            files[f"{where}{written_folder.WEIGHTS}"] = array_files.weights_bytes(weights)
        files |= {
            "baseline.json": formats.canonical({"name": self.name, "parameters": parameters}),
            written_folder.TIMING: formats.sealed_json(timing_now(time.monotonic() - started)),
        }
        written_folder.write_folder(target, files, scratch=target.with_name(f"{self.name}.partial"))
