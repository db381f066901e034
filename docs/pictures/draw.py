"""Draw the README's picture and those of docs/gallery.md, from three finished studies.

`make pictures` runs the studies, digits, three-models and schedule.yaml beside this file, and then
.venv/bin/python docs/pictures/draw.py studies/digits studies/three-models studies/schedule
Without a study's folder its pictures are left as they are. The table of the first study in
README.md and docs/tutorial.md is written anew too; what else they quote of it is compared with
what is printed.
"""

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console

from bakeoff import report
from bakeoff.report import plots
from bakeoff.report.plots import Figure
from bakeoff.study.run import compare

HERE = Path(__file__).parent
DOTS = "Test accuracy of every network: a dot a seed, the mean, its 95 % interval, letters"
# name: what it shows; how it is drawn; of which study (0: digits, 1: three-models, 2: schedule)
DRAWN: dict[str, tuple[str, Any, int]] = {
    "accuracy": (DOTS, plots.accuracy_dots, 0),
    "verdicts": (
        "Each network against each, with the difference in points",
        plots.verdict_matrix,
        0,
    ),
    "parameters": (
        "Test accuracy against the number of parameters, the best joined by a line",
        plots.accuracy_against_parameters,
        0,
    ),
    "time": (
        "Test accuracy against the time of training one trial",
        plots.accuracy_against_time,
        0,
    ),
    "variance": ("Shares of images and seeds in the uncertainty", plots.variance, 0),
    "mnist": (DOTS, plots.accuracy_dots, 1),
    "curves": (
        "Loss and accuracy of the largest dense network by epoch",
        lambda study: plots.learning_curves(study, "mlp"),
        0,
    ),
    "rate": ("The learning rate by epoch", plots.learning_rate, 2),
    "classes": (
        "Accuracy of the convolutional network on each digit, the worst first",
        lambda study: plots.per_class(study, "cnn"),
        0,
    ),
    "calibration": (
        "How often the convolutional network is correct, by how sure it is",
        lambda study: plots.calibration(study, "cnn"),
        0,
    ),
    "confusion": (
        "Who is taken for whom by the convolutional network, in percent",
        lambda study: plots.confusion(study, "cnn", rates=True),
        0,
    ),
    "mistakes": (
        "The mistakes of the convolutional network alone, in images",
        lambda study: plots.confusion(study, "cnn", diagonal=False),
        0,
    ),
    "all-curves": ("Validation accuracy of all networks by epoch", plots.all_curves, 0),
    "roc": (
        "Each digit against the rest: found images against false alarms",
        lambda study: plots.roc_curves(study, "cnn"),
        0,
    ),
}
# Parts of the report that are pictures of images: the element's selector.
PHOTOGRAPHED = {
    "worst": "#galleries > div[data-model] > .gallery",
    "suspects": "#galleries > .gallery:last-of-type",
    "samples": ".samples",
}
SCREENS = {"desktop": (1200, 980), "phone": (390, 844)}


def pictures(folders: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield every picture's file name and content."""
    studies = [compare([each]).comparison if Path(each).is_dir() else None for each in folders]
    for name, (alt, draw, which) in DRAWN.items():
        if studies[which] is not None:
            drawn = draw(studies[which])
            yield f"{name}.svg", Figure(drawn.spec, alt).svg().encode()


def screens(report: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the top of a report as a browser shows it; nothing where no browser is installed."""
    sys.path.insert(0, str(HERE.parents[1]))
    from tests.helpers import browser

    if browser.find() is None:
        sys.stderr.write("no Chromium is installed: pictures of the page are left as they are\n")
        return
    for name, (width, height) in SCREENS.items():
        for dark in (False, True):
            with browser.Browser(width=width, height=height, dark=dark) as page:
                page.open(report)
                tone = "dark" if dark else "light"
                yield f"{name}-{tone}.png", small(page.screenshot())
    with browser.Browser(width=1200, height=900) as page:
        page.open(report)
        for name, selector in PHOTOGRAPHED.items():
            yield f"{name}.png", small(page.screenshot(selector))


def small(content: bytes) -> bytes:
    """Return a PNG with at most 64 colours, which is all that these pictures need."""
    image = Image.open(io.BytesIO(content), formats=["PNG"]).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(64, dither=Image.Dither.NONE).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def quoting(folder: str) -> Iterator[tuple[Path, str]]:
    """Yield the documents that quote what a study prints, with its table as it is printed now."""
    console = Console(width=80, file=io.StringIO(), color_system=None)
    console.print(report.table(compare([folder]).comparison))
    printed = [line.rstrip() for line in console.file.getvalue().splitlines()]
    (first,) = (k for k, line in enumerate(printed) if line.startswith("  model "))
    (last,) = (k for k, line in enumerate(printed) if line.startswith("  logistic regression "))
    table = "\n".join(printed[first : last + 1])
    for path in (HERE.parents[1] / "README.md", HERE.parent / "tutorial.md"):
        text = path.read_text(encoding="utf-8")
        old = r"^  model  (?s:.*?)^  logistic regression .*?$"
        text = re.sub(old, table, text, count=1, flags=re.MULTILINE)
        block = text[text.index(table) : text.index("```", text.index(table))]
        unsaid = {line for line in block.splitlines() if line.strip() not in ("", "…")} - {*printed}
        unsaid = {line for line in unsaid if not line.startswith("Report: ")}
        if unsaid:
            sys.stderr.write(f"{path.name} quotes what is not printed: {sorted(unsaid)}\n")
        yield path, text


def main(folders: list[str]) -> None:
    """Write every picture beside this file, and the table where documents quote it."""
    for path, text in quoting(folders[0]):
        path.write_text(text, encoding="utf-8")
    for name, content in pictures(folders):
        (HERE / name).write_bytes(content)
    for name, content in screens(Path(folders[0]) / "report.html"):
        (HERE / name).write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1:])
