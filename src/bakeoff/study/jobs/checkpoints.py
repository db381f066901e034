"""A trial's checkpoints: the newest states of a trial in progress."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import safe_open

from bakeoff.errors import StorageError
from bakeoff.storage import array_files, atomic, formats
from bakeoff.study.jobs.checkpoint_names import CHECKPOINTS_KEPT, PREFIX, newest_first

if TYPE_CHECKING:
    from bakeoff.training.trainer import Trainer


CHECKPOINT_SECONDS = 5.0


class Checkpoints:
    """The newest states of a trial in progress; a file's name holds the hash of its content."""

    def __init__(
        self, folder: Path, *, identity: str, environment: Mapping[str, Any] | None = None
    ) -> None:
        self._folder, self._identity = folder, identity
        self._environment = dict(environment or {})
        self.earlier: list[dict[str, Any]] = []  # other environments that the trial has come from

    def save(self, trainer: "Trainer", *, seconds: float) -> None:
        """Write a checkpoint; keep the one before it, in case this one is damaged."""
        arrays, state = trainer.checkpoint()
        document = {
            "identity": self._identity,
            "seconds": seconds,
            "state": state,
            "environments": [*self.earlier, self._environment],
        }
        text = np.frombuffer(json.dumps(document).encode(), np.uint8)
        content = array_files.weights_bytes({**arrays, "document": text})
        epoch = len(trainer.history)
        name = f"{PREFIX}{epoch:06d}-{formats.sha256(content)[:16]}.safetensors"
        atomic.write_file(self._folder / name, content)
        there = newest_first(self._folder)
        whole = [each for each in there if each.name <= name]  # later ones are not used
        for old in set(there) - set(whole[:CHECKPOINTS_KEPT]):
            old.unlink(missing_ok=True)

    def restore(self, trainer: "Trainer") -> float:
        """Bring `trainer` to the newest whole checkpoint; return the seconds spent so far."""
        for path in newest_first(self._folder):
            try:
                content = atomic.read_file(path)
                if formats.sha256(content)[:16] != path.stem.rpartition("-")[2]:
                    continue
                arrays = array_files.read_weights(path, content)
                document = json.loads(arrays.pop("document").tobytes())
                if document["identity"] != self._identity:
                    continue
                trainer.restore(arrays, document["state"])
                seen = document.get("environments", [])
                self.earlier = [each for each in seen if each != self._environment]
                return float(document["seconds"])
            except (StorageError, ValueError, KeyError):
                continue
        return 0.0


def history_saved(folder: Path) -> list[dict[str, Any]]:
    """Return the epochs of the trial in progress in `folder`, as its newest checkpoint has them.

    Only the history is read, not the weights; empty where there is none that can be read.
    """
    for path in newest_first(folder):
        try:
            with safe_open(path, framework="np") as file:
                document = json.loads(file.get_tensor("document").tobytes())
            history: list[dict[str, Any]] = json.loads(document["state"])["history"]
            return history
        except Exception:  # replaced meanwhile, or damaged: safetensors raises a kind of its own
            continue
    return []
