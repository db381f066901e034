"""`bakeoff predict`: names of pictures in, a table of predictions out; files that fail are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from bakeoff.analysis.compare import compare
from bakeoff.errors import DataError
from bakeoff.study.winner.picture_files import picture_files
from bakeoff.study.winner.predictions import Predictions, predict
from bakeoff.study.winner.read_pictures import Adapt
from bakeoff.study.winner.trained_model import TrainedModel
from bakeoff.study.winner.training_profile import read_profile
from bakeoff.utils.text import counted, listed, percent, probability

if TYPE_CHECKING:
    from rich.table import Table

_PROGRESS_FROM = 200  # images; fewer are done at once


@dataclass(frozen=True)
class Predicted:
    """What came out, and one sentence for every file that could not be read."""

    predictions: Predictions
    broken: tuple[str, ...]
    remarks: tuple[str, ...]


def predict_files(
    trained: TrainedModel, paths: Sequence[str], *, adapt: Adapt, standard_input: TextIO
) -> Predicted:
    """Predict every picture that the paths stand for; "-" stands for paths on standard input.

    Raises DataError where not one picture can be read.
    """
    files = [str(path) for path in picture_files(_spelled_out(paths, standard_input))]
    broken: list[str] = []
    with _progress(len(files)) as advance:
        try:
            found = predict(files, trained, adapt=adapt, on_image=advance, on_broken=broken.append)
        except DataError:
            if len(broken) == 1:
                raise DataError(broken[0]) from None
            if broken:
                raise DataError(
                    f"expected a picture that can be read, found {len(broken):,} that cannot; the "
                    f"first: {broken[0]}"
                ) from None
            raise
    return Predicted(found, tuple(broken), _remarks(found, trained))


def _spelled_out(paths: Sequence[str], standard_input: TextIO) -> list[str]:
    found: list[str] = []
    for path in paths:
        if path == "-":
            found += [line.rstrip("\r\n") for line in standard_input if line.strip()]
        else:
            found.append(path)
    if not found:
        raise DataError("expected paths of pictures on standard input, found none")
    return found


def _remarks(found: Predictions, trained: TrainedModel) -> tuple[str, ...]:
    remarks = [f"{found.model}: {trained.reason}", *_worth(trained)]
    centred = int(found.centred.sum())
    if centred:
        remarks.append(
            f"{counted(centred, 'picture')} centred, scaled and, where ink is dark, inverted as "
            "the training images are: --adapt never takes pictures as they are"
        )
    if found.unlike is None:
        remarks.append(
            "whether a picture is unlike the training images cannot be told: the study has no "
            "training_profile.npz and its data is not at hand"
        )
    elif found.unlike.any():
        profile = read_profile(trained.folder)
        known = "" if profile is None else f"; {profile.false_alarms}"
        remarks.append(
            f"{counted(int(found.unlike.sum()), 'picture')} unlike anything in training: trust "
            f"no class there{known}"
        )
    if found.caution:
        remarks.append(found.caution)
    return tuple(remarks)


def _worth(trained: TrainedModel) -> list[str]:
    """Say what averaging the seeds is worth on the test images, where they have been opened."""
    if len(trained.seeds) < 2 or not trained.folder.openings():
        return []
    models = {each.name: each for each in compare([trained.folder]).models}
    opened = models.get(trained.name)  # None where it was trained since
    if opened is None or opened.ensemble is None:
        return []
    which = (
        "all seeds" if set(opened.seeds) == set(trained.seeds) else f"seeds {listed(opened.seeds)}"
    )
    return [
        f"on the test images {which} averaged are correct in {percent(opened.ensemble)}, one "
        f"seed in {percent(opened.accuracy.mean)} on average"
    ]


def table(found: Predictions) -> Table:
    """Return the predictions as a rich table, one row an image."""
    from rich.table import Table

    view = Table(box=None, pad_edge=False, header_style="bold")
    view.add_column("image", overflow="fold")
    view.add_column("class")
    view.add_column("probability", justify="right")
    view.add_column("runner-up")
    view.add_column("", justify="right")
    view.add_column("note")
    for row in found.rows():
        view.add_row(
            row["image"],
            row["class"],
            probability(row["probability"]),
            row["runner_up"],
            probability(row["runner_up_probability"]),
            row["note"],
        )
    return view


def to_json(predicted: Predicted, trained: TrainedModel) -> dict[str, Any]:
    """Return what `bakeoff predict --json` prints."""
    found = predicted.predictions
    rows = []
    for index, row in enumerate(found.rows()):
        unlike = None if found.unlike is None else bool(found.unlike[index])
        rows.append(
            {
                **{key: value for key, value in row.items() if key != "note"},
                "probabilities": found.probabilities[index].tolist(),
                "centred": bool(found.centred[index]),
                "unlike_training": unlike,
                "seeds_agreeing": float(found.agreement[index]),
            }
        )
    return {
        "study": str(trained.study["name"]),
        "model": trained.name,
        "seeds": list(trained.seeds),
        "class_names": list(found.class_names),
        "predictions": rows,
        "broken": list(predicted.broken),
    }


@contextmanager
def _progress(images: int) -> Iterator[Callable[[], None] | None]:
    """Show a bar on standard error, where that is a terminal and there is something to wait for."""
    import sys

    if images < _PROGRESS_FROM or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("", total=images)
        yield lambda: bar.advance(task)
