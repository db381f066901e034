"""The study's folder: what lies where in it, and reading it back checked.

Everything in it is written whole or not at all and never rewritten; the layout is that of
docs/architecture.md. Its recipe is read by study_recipe.py and its split by split_file.py, which
need what `bakeoff status` has no time to import.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from bakeoff.errors import StorageError, StudyError
from bakeoff.recipe.parsing.yaml_reader import MAX_BYTES
from bakeoff.storage.atomic import read_file
from bakeoff.storage.formats import damaged, exchanged, read_sealed_json, sha256
from bakeoff.storage.ledger import read_ledger
from bakeoff.storage.schemas import check_document
from bakeoff.storage.written_folder import ENVIRONMENT, MANIFEST, TIMING, read_document
from bakeoff.utils.text import shell_command

FORMAT = 1
FOLDERS = ("trials", "baselines", "openings", "shipped", "race", "search")


def place_of(recipe: str, out: str | Path | None) -> Path:
    """Return where the study of a recipe of this name lies: `out`, or studies/<name>."""
    return Path("studies") / recipe if out is None else Path(out)


class StudyFolder:
    """Names and reads what is in a study's folder; docs/architecture.md draws the layout."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.recipe_file = self.path / "recipe.yaml"
        self.study_file = self.path / "study.json"
        self.split_file = self.path / "split.npz"
        self.ledger_file = self.path / "ledger.jsonl"
        self.comparison_file = self.path / "comparison.json"
        self.report_file = self.path / "report.html"
        self.card_file = self.path / "MODEL_CARD.md"
        self.pictures_file = self.path / "pictures.npz"
        self.scratch = self.path / ".scratch"  # for arrays that workers share for a while

    def __repr__(self) -> str:
        return f"<StudyFolder {self.path}>"

    def exists(self) -> bool:
        """Say whether a study lives here."""
        return self.study_file.is_file()

    def require(self) -> None:
        """Raise StudyError unless a study lives here."""
        if not self.exists():
            usual = Path("studies") / self.path.name.removesuffix(".yaml")
            hint = "name the folder that `bakeoff run` printed, for instance studies/digits"
            if (usual / self.study_file.name).is_file():
                hint = f"did you mean {usual}?"
            raise StudyError(
                f"{self.path}: expected a study's folder, found no study.json in it: {hint}"
            )

    def require_in_place(self) -> None:
        """Raise StorageError if the folder is gone, before anything makes a new one of its name."""
        if not self.path.is_dir():
            raise StorageError(
                f"{self.path}: expected the study's folder where it was, found none: it was moved "
                "or deleted while it ran; run the recipe again with the folder's new place"
            )

    def trial(self, model: str, seed: int) -> Path:
        """Return the folder of a finished trial."""
        return self.path / "trials" / model / f"seed-{seed}"

    def partial(self, model: str, seed: int) -> Path:
        """Return the folder of a trial in progress."""
        return self.path / "trials" / model / f"seed-{seed}.partial"

    def fold(self, model: str, seed: int, fold: int) -> Path:
        """Return the folder of a finished fold of a trial in progress; the trial takes it over."""
        return self.partial(model, seed) / f"fold-{fold}"

    def shipped(self, model: str) -> Path:
        """Return the folder of a model trained on all images, after they were all opened."""
        return self.path / "shipped" / model

    def baseline(self, name: str) -> Path:
        """Return the folder of a fitted baseline."""
        return self.path / "baselines" / name

    def finished(self) -> dict[str, list[int]]:
        """Return the seeds of the finished trials of every model, ascending."""
        done: dict[str, list[int]] = {}
        for folder in sorted(self.path.glob("trials/*/seed-*")):
            seed = _number(folder.name.removeprefix("seed-"))
            if seed is not None and (folder / MANIFEST).is_file():
                done.setdefault(folder.parent.name, []).append(seed)
        return {model: sorted(seeds) for model, seeds in done.items()}

    def openings(self) -> list[Path]:
        """Return the folders of the openings, the first one first."""
        return numbered(self.path / "openings")

    def times_opened(self) -> int:
        """Return how often the test set was opened, by the ledger and by what lies there.

        An opening counts from its line in the ledger on, whatever became of its folder.
        """
        openings = [int(path.name) for path in self.openings()]
        return max([len(self.read_ledger()), len(openings), *openings])

    def read_study(self) -> dict[str, Any]:
        """Return study.json; raise if it was changed or comes from another format."""
        self.require()
        document = read_sealed_json(self.study_file)
        if document.get("format") != FORMAT:
            raise StudyError(
                f"{self.study_file}: expected format {FORMAT}, found {document.get('format')}: "
                "this study was written by another version of Bakeoff; run it with that version"
            )
        return check_document(document, self.study_file)

    def read_recipe_file(self, study: Mapping[str, Any]) -> bytes:
        """Return what recipe.yaml holds; StorageError if it is not as study.json recorded."""
        content = read_file(self.recipe_file, most=MAX_BYTES)
        if sha256(content) != study["recipe"]:
            raise damaged(self.recipe_file)
        return content

    def read_trial(self, model: str, seed: int) -> dict[str, Any]:
        """Return a finished trial's trial.json; StorageError if it was changed or is another's."""
        path = self.trial(model, seed)
        document = read_document(path, "trial.json")
        if (document["model"], document["seed"]) != (model, seed):
            found = f"{document['model']} with seed {document['seed']}"
            raise exchanged(path, f"{model} with seed {seed}", found)
        return document

    def read_shipped(self, model: str) -> dict[str, Any]:
        """Return trial.json of the model trained on all images; its weights lie beside it.

        Raises StorageError where there is none, or one that was changed or is another's.
        """
        path = self.shipped(model)
        document = read_document(path, "trial.json")
        if document["model"] != model:
            raise exchanged(path, model, document["model"])
        return document

    def read_timing(self, model: str, seed: int) -> dict[str, Any]:
        """Return the timing.json of a finished trial."""
        path = self.trial(model, seed) / TIMING
        return check_document(read_sealed_json(path), path)

    def read_prediction_timing(self, model: str) -> dict[str, Any]:
        """Return the newest opening's timing.json for a model; {} where it did not predict."""
        openings = self.openings()
        path = openings[-1] / model / TIMING if openings else None
        if path is None or not path.exists():  # version 0.1.0 measured nothing
            return {}
        return check_document(read_sealed_json(path), path)

    def read_environments(self, model: str, seed: int) -> list[dict[str, Any]]:
        """Return what a finished trial was trained with: several where it went on under another.

        In cross-validation, those of its folds that differ. None by version 0.1.0, which wrote it
        down once for the whole study.
        """
        place = self.trial(model, seed)
        found: list[dict[str, Any]] = []
        for path in sorted([*place.glob(ENVIRONMENT), *place.glob(f"fold-*/{ENVIRONMENT}")]):
            document = check_document(read_sealed_json(path), path)
            found += document.pop("earlier", [])
            found.append(document)
        return [each for number, each in enumerate(found) if each not in found[:number]]

    def read_opening(self, folder: Path) -> dict[str, Any]:
        """Return an opening's opening.json; raise StorageError if it was changed."""
        return read_document(folder, "opening.json")

    def read_ledger(self) -> list[dict[str, Any]]:
        """Return the openings' ledger lines, the first one first."""
        return read_ledger(self.ledger_file)

    def lock(self, name: str, *, timeout: float = -1) -> AbstractContextManager[None]:
        """Return a lock between processes, freed by the system when its holder dies."""
        from bakeoff.storage.locks import lock_file  # `bakeoff status` seldom needs one

        return lock_file(self.lock_path(name), timeout=timeout)

    def in_training(self, model: str) -> bool:
        """Say whether a process is at a trial of a model, or at a fold of one, at this moment."""
        locks = self.path.glob(f".locks/{trial_lock(model, '*')}.lock")
        return any(self.is_locked(path.stem) for path in locks)

    def is_locked(self, name: str) -> bool:
        """Say whether a process holds a lock at this moment; StorageError if it cannot be asked."""
        if not self.lock_path(name).exists():
            return False
        from filelock import Timeout

        try:
            with self.lock(name, timeout=0):
                return False
        except Timeout:
            return True

    def lock_path(self, name: str) -> Path:
        """Return the file of a lock; it stays when the lock is free."""
        return self.path / ".locks" / f"{name}.lock"


def to_go_on(folder: StudyFolder, study: Mapping[str, Any]) -> str:
    """Return what to type to go on with a study: in a shell, or in Python, which has its arrays.

    study : study.json
    """
    data = study["resolved"].get("data")
    if isinstance(data, Mapping) and "arrays" in data:
        return f"bakeoff.Study(…, data=(x, y)).run(out={str(folder.path)!r})"
    return shell_command("run", folder.recipe_file, "--out", folder.path)


def trial_lock(model: str, seed: int | str, fold: int | None = None) -> str:
    """Return the name of the lock that whoever trains a trial, or a fold of one, holds."""
    return f"{model}.seed-{seed}" + ("" if fold is None else f".fold-{fold}")


def numbered(folder: Path) -> list[Path]:
    """Return what is called 1, 2, 3, … in a folder, in this order."""
    found = [path for path in folder.glob("*") if _number(path.name)]
    return sorted(found, key=lambda path: int(path.name))


def _number(text: str) -> int | None:
    """Return the number that `text` is as Bakeoff writes it: not 007, not ７."""
    known = text.isascii() and text.isdecimal() and (text == "0" or text[0] != "0")
    return int(text) if known else None
