"""Sort a folder of photographs into one folder a class: python sort_photographs.py STUDY FROM TO.

What looks unlike anything the network was trained on goes to TO/unsure, and so does what it says
with less than 90 %. Photographs are copied, not moved.
"""

import shutil
import sys
from pathlib import Path

from bakeoff.study.run import compare

SURE = 0.9


def sort(study: str, source: str, target: str) -> None:
    """Copy every photograph below `source` to the folder of its class."""
    found = compare([study]).predict(source)
    for index, (name, label) in enumerate(zip(found.names, found.classes, strict=True)):
        strange = found.unlike is not None and found.unlike[index]
        sure = found.probabilities[index].max() >= SURE and not strange
        folder = Path(target, label.replace("/", "-") if sure else "unsure")  # T-shirt/top
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(name, folder / f"{index:05d}-{Path(name).name}")
        print(f"{name}: {folder.name}")  # noqa: T201


if __name__ == "__main__":
    sort(*sys.argv[1:])
