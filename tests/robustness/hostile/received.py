"""Studies received from somebody that are whole, and hold what could harm whoever looks at them.

Nothing here is refused: the commands do their work, and what they print and write is harmless.
"""

import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.storage import array_files, formats, ledger
from tests.robustness.hostile.case import Case
from tests.robustness.hostile.studies import (
    OPENING,
    Edit,
    forge_data,
    forge_json,
    reseal,
    whole_study,
)

MARK = "harm-was-done"
PRECIOUS = "precious"
TEXTS = (
    "<script>alert('harm')</script>",
    "\" onmouseover=\"alert('harm')",
    "[bold red]markup[/bold red]",
    "one & two &amp; three",
    "abc\u202etxt.exe",
    '=HYPERLINK("https://example.org")',
    "[x](javascript:alert('harm'))",
    "{{ 7 * 7777 }}{% include '/etc/passwd' %}",
    "\ufeff\u200b",
    "W" * 9_000,
)
COMMANDS = ("status", "compare", "report")


class _Harm:
    """Pickled, it makes a file as soon as somebody unpickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (MARK, "w"))


def _class_names(study: Path) -> None:
    forge_data(study, class_names=list(TEXTS))


def _everywhere(study: Path) -> None:
    """Say it wherever study.json and the ledger have free text."""
    text = " ".join(TEXTS)
    forge_data(study, name=text, notes=list(TEXTS))
    document = json.loads((study / "study.json").read_bytes())
    environment = dict(zip(document["environment"], TEXTS, strict=False))
    environment |= dict.fromkeys(TEXTS, text)
    reseal(study / "study.json", title=text, environment=environment, created=text)
    line = json.loads((study / "ledger.jsonl").read_bytes())
    del line["sha256"], line["before"]
    (study / "ledger.jsonl").unlink()
    ledger.append_ledger(study / "ledger.jsonl", {**line, "time": text, "study": text})


def _pictures(**changes: Any) -> Edit:
    """Put pictures of this very test set beside the report, with some arrays exchanged."""

    def edit(study: Path) -> None:
        arrays = {
            "test_hash": np.array(_test_hash(study)),
            "places": np.arange(360),
            "images": np.zeros((360, 8, 8, 1), np.uint8),
            "sample_labels": np.arange(10),
            "samples": np.zeros((10, 8, 8, 1), np.uint8),
        }
        with (study / "pictures.npz").open("wb") as file:
            np.savez(file, **(arrays | changes))

    return edit


def _test_hash(study: Path) -> str:
    text: str = json.loads((study / "study.json").read_bytes())["data"]["test_hash"]
    return text


def _bomb(study: Path) -> None:
    """Pictures whose arrays are small files of many gigabytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("test_hash", "places", "images", "sample_labels", "samples"):
            archive.writestr(f"{name}.npy", bytes(40 << 20))
    (study / "pictures.npz").write_bytes(file.getvalue())


def _leading(name: str, target: str) -> Edit:
    def edit(study: Path) -> None:
        (study / name).unlink(missing_ok=True)
        (study / name).symlink_to(target)

    return edit


def _huge(study: Path) -> None:
    with (study / "pictures.npz").open("wb") as file:
        file.truncate(1 << 40)


def _leading_out(study: Path) -> None:
    """Derived files that are links to a file beside the study, which must stay as it is."""
    (study.parent / "outside").write_text(PRECIOUS)
    for name in ("report.html", "comparison.json", "MODEL_CARD.md", "pictures.npz"):
        _leading(name, "../outside")(study)


def _modules(study: Path) -> None:
    """Files by the names of modules that Bakeoff imports, and others that Python looks for."""
    names = ("numpy", "json", "socket", "bakeoff", "keras", "conftest", "sitecustomize", "build")
    for name in (*names, "usercustomize", "vl_convert", "jinja2"):
        (study / f"{name}.py").write_text(f"open({MARK!r}, 'w')")
    (study / "x.pth").write_text(f"import os; open({MARK!r}, 'w')\n")
    (study / ".env").write_text("PYTHONSTARTUP=build.py\n")


def _builder(study: Path) -> None:
    """A model that is somebody's code, trained and recorded; the code lies in the study."""
    (study / "evil.py").write_text(f"open({MARK!r}, 'w')")
    document = json.loads((study / "study.json").read_bytes())
    resolved = document["resolved"]
    model = {"python": f"{study}/evil.py:build", "training": resolved["models"]["a"]["training"]}
    resolved["models"]["a"] = model
    content = json.dumps(resolved).encode()
    (study / "recipe.yaml").write_bytes(content)
    reseal(study / "study.json", resolved=resolved, recipe=formats.sha256(content))
    for seed in (0, 1):
        forge_json(study / "trials" / "a" / f"seed-{seed}", "trial.json", settings=model)
    line = json.loads((study / "ledger.jsonl").read_bytes())
    del line["sha256"], line["before"]
    (study / "ledger.jsonl").unlink()
    ledger.append_ledger(study / "ledger.jsonl", {**line, "recipe": formats.sha256(content)})


def _extreme_scores(study: Path) -> None:
    """Predictions that are as sure as can be, and as unsure."""
    labels = np.load(study / OPENING / "labels.npy")
    files = json.loads((study / OPENING / "manifest.json").read_bytes())["files"]
    for name, value in (("a/seed-0.npy", 0.0), ("a/seed-1.npy", 0.1), ("b/seed-0.npy", 1.0)):
        given = np.full((len(labels), 10), value, np.float32)
        if value in (0.0, 1.0):
            given = np.eye(10, dtype=np.float32)[(labels + int(value)) % 10]
        content = array_files.npy_bytes(given)
        (study / OPENING / name).write_bytes(content)
        files[name] = formats.sha256(content)
    (study / OPENING / "manifest.json").write_bytes(formats.sealed_json({"files": files}))


def _cases(name: str, edit: Edit, commands: Sequence[str] = COMMANDS) -> list[Case]:
    def made(words: Sequence[str]) -> Any:
        def make(folder: Path) -> list[str]:
            shutil.copytree(whole_study(), folder / "s")
            edit(folder / "s")
            (folder / "r.yaml").write_text((folder / "s" / "recipe.yaml").read_text())
            return [*words]

        return make

    words = {command: [command, "s"] for command in (*COMMANDS, "verify")}
    words |= {"json": ["compare", "s", "--json"]}
    return [Case(f"received with {name}: {each}", made(words[each]), (), 0) for each in commands]


LYING_PICTURES: dict[str, Edit] = {
    "objects": _pictures(images=np.array([_Harm()] * 3, dtype=object)),
    "no pixels": _pictures(images=np.zeros((360, 0, 8, 1), np.uint8)),
    "many channels": _pictures(images=np.zeros((360, 8, 8, 9), np.uint8)),
    "text": _pictures(images=np.array(["x"] * 360)),
    "class 99": _pictures(sample_labels=np.full(10, 99)),
    "class -5": _pictures(sample_labels=np.full(10, -5)),
    "places below 0": _pictures(places=np.arange(-400, -40)),
    "places beyond the last": _pictures(places=np.arange(1, 361)),
    "another test set": _pictures(test_hash=np.array("0" * 64)),
    "a bomb": _bomb,
    "a pickle": lambda s: (s / "pictures.npz").write_bytes(pickle.dumps(_Harm())) and None,
    "a device": _leading("pictures.npz", "/dev/zero"),
    "another file": _leading("pictures.npz", "/etc/passwd"),
    "a huge file": _huge,
}


def cases() -> list[Case]:
    """All of them."""
    found = _cases("texts as class names", _class_names, (*COMMANDS, "json"))
    found += _cases("texts everywhere", _everywhere, (*COMMANDS, "json", "verify"))
    found += _cases("pictures of class 99", LYING_PICTURES["class 99"], ("report",))
    found += _cases("derived files leading out", _leading_out, ("report",))
    found += _cases("modules of its own", _modules, (*COMMANDS, "json", "verify"))
    found += _cases("a builder", _builder, (*COMMANDS, "json", "verify"))
    found += _cases("extreme predictions", _extreme_scores, ("report", "json"))
    return found
