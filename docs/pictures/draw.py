"""Draw the README's picture and those of docs/gallery.md, from three finished studies.

`make pictures` runs the studies, digits, three-models and schedule.yaml beside this file, and then
.venv/bin/python docs/pictures/draw.py studies/digits studies/three-models studies/schedule
"""

import base64
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from bakeoff.report import plots
from bakeoff.report.plots.style import PAPER
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
        "Loss and accuracy of the network without dropout by epoch",
        lambda study: plots.learning_curves(study, "dense"),
        1,
    ),
    "rate": ("The learning rate by epoch", plots.learning_rate, 2),
    "classes": (
        "Accuracy of the convolutional network on each digit, the worst first",
        lambda study: plots.per_class(study, "cnn"),
        1,
    ),
    "calibration": (
        "How often the convolutional network is right, by how sure it is",
        lambda study: plots.calibration(study, "cnn"),
        1,
    ),
}
PHOTOGRAPHED: dict[str, Any] = {
    "confusion": lambda study: plots.confusion(study, "cnn", rates=True),
    "mistakes": lambda study: plots.confusion(study, "cnn", diagonal=False),
    "worst": lambda study: plots.worst_mistakes(study, "cnn"),
    "suspects": plots.label_suspects,
    "samples": plots.samples,
}
SCREENS = {"desktop": (1200, 980), "phone": (390, 844)}


def pictures(folders: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield every picture's file name and content."""
    studies = [compare([folder]).comparison for folder in folders]
    for name, (alt, draw, which) in DRAWN.items():
        yield f"{name}.svg", plots.svg(draw(studies[which]), alt=alt, standalone=True).encode()
    for name, draw in PHOTOGRAPHED.items():
        buffer = io.BytesIO()
        draw(studies[1]).savefig(buffer, dpi=120, facecolor=PAPER)
        yield f"{name}.png", small(buffer.getvalue())


def screens(report: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the top of a report as a browser shows it; nothing where no browser is installed."""
    sys.path.insert(0, str(HERE.parents[1] / "tests"))
    import browser

    if browser.find() is None:
        sys.stderr.write("no Chromium is installed: pictures of the page are left as they are\n")
        return
    for name, (width, height) in SCREENS.items():
        for dark in (False, True):
            with browser.Browser(width=width, height=height, dark=dark) as page:
                page.open(report)
                shot = page._send("Page.captureScreenshot", format="png")["data"]
                tone = "dark" if dark else "light"
                yield f"{name}-{tone}.png", small(base64.b64decode(shot))


def small(content: bytes) -> bytes:
    """Return a PNG with at most 64 colours, which is all that these pictures need."""
    image = Image.open(io.BytesIO(content), formats=["PNG"]).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(64, dither=Image.Dither.NONE).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def main(folders: list[str]) -> None:
    """Write every picture beside this file."""
    for name, content in pictures(folders):
        (HERE / name).write_bytes(content)
    for name, content in screens(Path(folders[1]) / "report.html"):
        (HERE / name).write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1:])
