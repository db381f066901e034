"""Jobs that train a small model on the images of tests/helpers/trainers.py."""

from pathlib import Path
from typing import Any

from bakeoff.study.jobs.development_data import DEVELOPMENT, write_development
from bakeoff.study.jobs.job import TrainJob
from tests.helpers.trainers import declare, development

MODEL = declare(epochs=4)


def write_images(folder: Path) -> Path:
    """Write the development images where jobs find them, and return the folder."""
    made = development()
    write_development(folder, {name: getattr(made, name) for name in DEVELOPMENT})
    return folder


def job(
    tmp_path: Path, data: Path, *, out: str = "study", identity: str = "a" * 64, **changes: Any
) -> TrainJob:
    """Return the job of one trial."""
    settings: dict[str, Any] = {
        "study": str(tmp_path / out),
        "model": "mlp",
        "seed": 3,
        "selection": "best-loss",
        "declared": MODEL.model_dump_json(),
        "identity": identity,
        "data": str(data),
        "maximum": 255.0,
        "n_classes": 3,
        "checkpoint_seconds": 0.0,
    }
    (tmp_path / out).mkdir(exist_ok=True)
    return TrainJob(**settings | changes)
