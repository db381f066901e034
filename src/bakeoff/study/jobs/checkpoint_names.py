"""Which checkpoints a trial in progress has, told by their names: none is read."""

from pathlib import Path

PLACE = "place.json"  # beside them while another machine trains the trial: which one
PREFIX = "checkpoint-"
CHECKPOINTS_KEPT = 2  # of a trial: the newest, and one in case that is damaged


def epochs_saved(folder: Path) -> int:
    """Return how many epochs of the trial in progress in `folder` the newest checkpoint holds."""
    newest = newest_first(folder)
    return int(newest[0].name.removeprefix(PREFIX).split("-")[0]) if newest else 0


def newest_first(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder; none where it goes meanwhile: its trial is done."""
    try:
        return sorted(folder.glob(f"{PREFIX}*.safetensors"), reverse=True)
    except FileNotFoundError:
        return []
