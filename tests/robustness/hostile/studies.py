"""Study folders edited by hand: damaged, forged with new hashes, linked out of, absurd.

The study is made once, without training: everything a run writes, with predictions from a table.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff import recipe as recipes
from bakeoff.storage import array_files, formats, history, ledger, written_folder
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.create import prepare, test_hash
from tests.robustness.hostile.case import Case

RECIPE = {
    "name": "x",
    "data": "digits",
    "seeds": 2,
    "baselines": ["majority"],
    "models": {"a": {"layers": []}, "b": {"layers": [{"dense": 4}]}},
}
Edit = Callable[[Path], None]
READING = ("status", "compare", "report", "verify")


@cache
def whole_study() -> Path:
    """A complete study in a temporary folder."""
    folder = StudyFolder(Path(tempfile.mkdtemp(prefix="hostile-")) / "study")
    recipe = recipes.parse(RECIPE, origin="x", folder=Path("/"))
    prepared = prepare(recipe, folder, device="cpu")
    rng = np.random.default_rng(0)
    labels = prepared.data.labels[prepared.split.test]
    held_out = prepared.data.labels[prepared.split.validation]
    files: dict[str, bytes] = {}
    for name, model in recipe.models.items():
        for seed in recipe.seeds:
            _write_trial(folder, name, seed, model, _answers(held_out, rng), held_out)
            files[f"{name}/seed-{seed}.npy"] = array_files.npy_bytes(_answers(labels, rng))
    baseline = {"kernel": np.zeros((64, 10), np.float32), "bias": np.zeros(10, np.float32)}
    written_folder.write_folder(
        folder.baseline("majority"),
        {
            "baseline.json": formats.canonical({"name": "majority", "parameters": 650}),
            "weights.safetensors": array_files.weights_bytes(baseline),
            written_folder.TIMING: _timing(),
        },
        scratch=folder.path / "s",
    )
    files["baselines/majority.npy"] = array_files.npy_bytes(_answers(labels, rng))
    models = {name: list(recipe.seeds) for name in recipe.models}
    opening = {
        "opening": 1,
        "models": models,
        "baselines": ["majority"],
        "test": test_hash(prepared.data, prepared.split),
    }
    files["labels.npy"] = array_files.npy_bytes(labels)
    files["opening.json"] = formats.canonical(opening)
    written_folder.write_folder(folder.path / "openings" / "1", files, scratch=folder.path / "s")
    study = folder.read_study()
    line = {"opening": 1, "time": "2026-01-01T00:00:00+00:00", "study": "x", "models": models}
    line |= {"recipe": study["recipe"], "split": study["split"], "test": opening["test"]}
    ledger.append_ledger(folder.ledger_file, line)
    return folder.path


def _answers(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    given = rng.random((len(labels), 10)) + 2 * np.eye(10)[labels]
    return (given / given.sum(axis=1, keepdims=True)).astype(np.float32)


def _timing() -> bytes:
    return formats.sealed_json({"seconds": 1.0, "finished": "2026-01-01T00:00:00+00:00"})


def _write_trial(folder, name, seed, model, validation, labels) -> None:
    row = dict.fromkeys(history.HISTORY_COLUMNS, 0.5)
    rows = [{**row, "epoch": epoch, "learning_rate": 0.001} for epoch in range(20)]
    right = float((validation.argmax(axis=1) == labels).mean())
    document = {
        "model": name,
        "seed": seed,
        "selection": "best-loss",
        "settings": model.resolved(),
        "input_shape": [8, 8, 1],
        "n_classes": 10,
        "parameters": 650,
        "trainable_parameters": 650,
        "epochs_trained": 20,
        "selected_epoch": 3,
        "diverged_epoch": None,
        "validation": {"images": len(labels), "accuracy": right, "cross_entropy": 0.5},
    }
    kernel = {"000.kernel": np.zeros((64, 10), np.float32), "001.bias": np.zeros(10, np.float32)}
    written_folder.write_folder(
        folder.trial(name, seed),
        {
            "trial.json": formats.canonical(document),
            "history.csv": history.history_csv(rows),
            "weights.safetensors": array_files.weights_bytes(kernel),
            "validation.npy": array_files.npy_bytes(validation),
            written_folder.TIMING: _timing(),
        },
        scratch=folder.path / "s",
    )


# ── forging ──────────────────────────────────────────────────────────────────────────────────


def reseal(path: Path, **changes: Any) -> None:
    """Change a sealed document and give it the hash of what it says now."""
    document = json.loads(path.read_bytes())
    document.pop("sha256")
    path.write_bytes(formats.sealed_json({**document, **changes}))


def forge(folder: Path, name: str, content: bytes) -> None:
    """Change a file of a written folder and record its new hash."""
    (folder / name).write_bytes(content)
    manifest = folder / "manifest.json"
    files = json.loads(manifest.read_bytes())["files"]
    reseal(manifest, files={**files, name: formats.sha256(content)})


def forge_json(folder: Path, name: str, **changes: Any) -> None:
    """Change keys of a JSON document and record the new hash."""
    document = {**json.loads((folder / name).read_bytes()), **changes}
    forge(folder, name, json.dumps(document).encode())


def forge_data(folder: Path, **changes: Any) -> None:
    """Change what study.json says of the data."""
    data = json.loads((folder / "study.json").read_bytes())["data"]
    reseal(folder / "study.json", data={**data, **changes})


def _case(name: str, edit: Edit, command: str, code: int, *says: str) -> Case:
    def make(folder: Path) -> list[str]:
        shutil.copytree(whole_study(), folder / "s")
        edit(folder / "s")
        return [command, "s"]

    return Case(f"study {name}: {command}", make, says, code)


def _each(name: str, edit: Edit, commands: str, code: int, *says: str) -> list[Case]:
    return [_case(name, edit, command, code, *says) for command in commands.split()]


def _append(name: str, content: bytes) -> Edit:
    def edit(study: Path) -> None:
        with (study / name).open("ab") as file:
            file.write(content)

    return edit


def _put(name: str, content: bytes) -> Edit:
    return lambda study: (study / name).write_bytes(content) and None


def _link(name: str, target: str) -> Edit:
    def edit(study: Path) -> None:
        path = study / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        path.symlink_to(target)

    return edit


def _pipe(name: str) -> Edit:
    def edit(study: Path) -> None:
        (study / name).unlink()
        os.mkfifo(study / name)

    return edit


def _sparse(name: str, size: int = 1 << 40) -> Edit:
    def edit(study: Path) -> None:
        with (study / name).open("r+b") as file:
            file.truncate(size)

    return edit


# ── cases ────────────────────────────────────────────────────────────────────────────────────

TRIAL, OPENING = "trials/a/seed-0", "openings/1"
NAN = b'{"epochs_trained": NaN}'


def damaged() -> list[Case]:
    """One file changed, as an accident would."""
    deep = b"[" * 200_000
    return [
        *_each("whose study.json is cut", _sparse("study.json", 300), "status compare", 2, "study"),
        *_each("whose study.json is deep", _put("study.json", deep), "status", 2, "study.json"),
        *_each("whose study.json is a list", _put("study.json", b"[]"), "status", 2, "study.json"),
        *_each("whose study.json is no text", _put("study.json", b"\xff"), "compare", 2, "study"),
        *_each("whose study.json is a pipe", _pipe("study.json"), "status", 2, "no study.json"),
        *_each("whose study.json is huge", _sparse("study.json"), "status", 2, "study.json"),
        *_each(
            "without study.json", lambda s: (s / "study.json").unlink(), "compare", 2, "no study"
        ),
        *_each(
            "whose recipe.yaml is edited",
            _append("recipe.yaml", b"\nmargin: 0.5\n"),
            "compare",
            2,
            "recipe.yaml",
        ),
        *_each(
            "whose recipe.yaml is a bomb",
            _put("recipe.yaml", b"a: &a [*a]"),
            "compare report",
            2,
            "recipe.yaml",
        ),
        *_each("whose recipe.yaml is huge", _sparse("recipe.yaml"), "compare", 2, "recipe.yaml"),
        *_each(
            "whose recipe.yaml runs code",
            _put("recipe.yaml", b"!!python/object/apply:os.system [id]"),
            "compare",
            2,
            "recipe.yaml",
        ),
        *_each("whose ledger is edited", _append("ledger.jsonl", b"{}\n"), "compare", 2, "ledger"),
        *_each("whose ledger is a pipe", _pipe("ledger.jsonl"), "compare", 2, "ledger.jsonl"),
        *_each("whose ledger is huge", _sparse("ledger.jsonl"), "compare", 2, "ledger.jsonl"),
        *_each(
            "whose trial.json is edited",
            _append(f"{TRIAL}/trial.json", b" "),
            "compare",
            2,
            "trial.json",
        ),
        *_each(
            "whose history is a pipe", _pipe(f"{TRIAL}/history.csv"), "compare report", 2, "history"
        ),
        *_each(
            "whose manifest is cut", _sparse(f"{TRIAL}/manifest.json", 99), "compare", 2, "manifest"
        ),
        *_each(
            "whose manifest is a pipe", _pipe(f"{TRIAL}/manifest.json"), "compare", 2, "manifest"
        ),
        *_each(
            "whose clocks are edited", _append(f"{TRIAL}/timing.json", b" "), "compare", 2, "timing"
        ),
        *_each(
            "whose predictions are cut",
            _sparse(f"{OPENING}/a/seed-0.npy", 500),
            "compare",
            2,
            "seed-0",
        ),
        *_each(
            "whose predictions are huge",
            _sparse(f"{OPENING}/a/seed-0.npy"),
            "compare",
            2,
            "seed-0.npy",
        ),
        *_each(
            "whose predictions are a pipe",
            _pipe(f"{OPENING}/a/seed-0.npy"),
            "compare",
            2,
            "seed-0.npy",
        ),
        *_each(
            "whose labels are a device",
            _link(f"{OPENING}/labels.npy", "/dev/zero"),
            "compare",
            2,
            "labels",
        ),
        *_each("whose opening is a link to itself", _link(OPENING, "1"), "compare", 2, "openings"),
    ]


def forged() -> list[Case]:
    """Changed by somebody who redid the hashes."""

    def study(**changes: Any) -> Edit:
        return lambda s: reseal(s / "study.json", **changes)

    def data(**changes: Any) -> Edit:
        return lambda s: forge_data(s, **changes)

    def trial(**changes: Any) -> Edit:
        return lambda s: forge_json(s / TRIAL, "trial.json", **changes)

    def opening(**changes: Any) -> Edit:
        return lambda s: forge_json(s / OPENING, "opening.json", **changes)

    def file(folder: str, name: str, content: bytes) -> Edit:
        return lambda s: forge(s / folder, name, content)

    def array(array: np.ndarray) -> bytes:
        return array_files.npy_bytes(array)

    zeros = np.zeros((360, 10), np.float32)
    header = b"epoch,loss,accuracy,val_loss,val_cross_entropy,val_accuracy,learning_rate\n"
    pickled = (
        b"\x93NUMPY\x01\0\x46\0{'descr': '|O', 'fortran_order': False, 'shape': (360, 10), }\ncos\n"
    )
    evil = b"\x93NUMPY\x01\0\x30\0{'descr': __import__('os').system('id'), 'shape'}"
    return [
        *_each("of another format", study(format=2), "status compare report verify", 2, "format 1"),
        *_each("of format null", study(format=None), "status", 2, "format 1"),
        *_each("without data", study(data=None), "status compare", 2, "study.json"),
        *_each("whose data is a list", study(data=[]), "compare", 2, "study.json"),
        *_each("of a data set of text", data(test="many"), "compare", 2, "study.json"),
        *_each("of 10^18 test images", data(test=10**12), "compare", 2, "labels.npy"),
        *_each("of -1 test images", data(test=-1), "compare", 2, ""),
        *_each("of no classes", data(class_names=[]), "compare", 2, ""),
        *_each(
            "of nested class names", data(class_names=[[]] * 10), "compare report", 2, "study.json"
        ),
        *_each(
            "of a class that colours",
            data(class_names=["\x1b[31m", *"bcdefghij"]),
            "compare report",
            2,
            "study.json",
        ),
        *_each("of a class of two lines", data(class_names=["a\nb", "c"]), "compare", 2, "study"),
        *_each("with a note that rings", data(notes=["\x07"]), "status", 2, "study.json"),
        *_each("with a title of two lines", study(title="a\u2028b"), "compare", 2, "study.json"),
        *_each(
            "of a test hash that is a path", data(test_hash="../../x"), "compare", 2, "study.json"
        ),
        *_each("of a test hash of numbers", data(test_hash=3), "compare", 2, "study.json"),
        *_each("without duplicates", study(duplicates=None), "compare", 2, "study.json"),
        *_each("without an environment", study(environment=7), "compare", 2, "study.json"),
        *_each("without a recipe in it", study(resolved=None), "status", 2, "study.json"),
        *_each("with a list as recipe", study(resolved=[1]), "status", 2, "study.json"),
        *_each("with a name of two lines", study(name="a\nb"), "compare", 2, "study.json"),
        *_each(
            "whose trial is a list",
            file(TRIAL, "trial.json", b"[]"),
            "status compare",
            2,
            "trial.json",
        ),
        *_each(
            "whose trial is NaN", file(TRIAL, "trial.json", NAN), "status compare", 2, "trial.json"
        ),
        *_each(
            "whose trial is deep",
            file(TRIAL, "trial.json", b"[" * 100_000),
            "status compare",
            2,
            "trial.json",
        ),
        *_each(
            "whose trial is empty",
            file(TRIAL, "trial.json", b"{}"),
            "status compare",
            2,
            "trial.json",
        ),
        *_each("of text epochs", trial(epochs_trained="all"), "status compare", 2, "trial.json"),
        *_each(
            "of a selected epoch of 10^9",
            trial(selected_epoch=10**9),
            "compare report",
            2,
            "trial.json",
        ),
        *_each("of negative parameters", trial(parameters=-1), "compare", 2, "trial.json"),
        *_each("of parameters of 10^400", trial(parameters=10**400), "compare", 2, "trial.json"),
        *_each("of another model's trial", trial(model="b"), "compare", 2, "trial.json"),
        *_each("whose settings are text", trial(settings="x"), "compare report", 2, "trial.json"),
        *_each(
            "whose history is empty", file(TRIAL, "history.csv", b""), "compare", 2, "history.csv"
        ),
        *_each(
            "whose history is a header",
            file(TRIAL, "history.csv", header),
            "compare report",
            2,
            "history",
        ),
        *_each(
            "whose history is text",
            file(TRIAL, "history.csv", header + b"a,b,c,d,e,f,g\n"),
            "compare",
            2,
            "history",
        ),
        *_each(
            "whose history is one field",
            file(TRIAL, "history.csv", header + b"1" * 2_000_000),
            "compare",
            2,
            "history",
        ),
        *_each(
            "whose history has NUL",
            file(TRIAL, "history.csv", header + b"\0\n"),
            "compare",
            2,
            "history",
        ),
        *_each(
            "whose clocks are text",
            lambda s: reseal(s / TRIAL / "timing.json", seconds="long"),
            "compare",
            2,
            "timing",
        ),
        *_each(
            "whose clocks are infinite",
            _put(f"{TRIAL}/timing.json", b'{"seconds": Infinity}'),
            "compare",
            2,
            "timing",
        ),
        *_each(
            "whose opening is a list",
            file(OPENING, "opening.json", b"[]"),
            "compare",
            2,
            "opening.json",
        ),
        *_each(
            "whose opening is empty",
            file(OPENING, "opening.json", b"{}"),
            "compare",
            2,
            "opening.json",
        ),
        *_each(
            "of a model called ..", opening(models={"../../..": [0]}), "compare", 2, "opening.json"
        ),
        *_each(
            "of a model that is a path", opening(models={"/etc": [0]}), "compare", 2, "opening.json"
        ),
        *_each(
            "of a seed that is text", opening(models={"a": ["x"]}), "compare", 2, "opening.json"
        ),
        *_each("of a seed of -1", opening(models={"a": [-1]}), "compare", 2, "opening.json"),
        *_each(
            "of a seed twice",
            opening(models={"a": [0, 0], "b": [0, 1]}),
            "compare",
            2,
            "opening.json",
        ),
        *_each("of a model that is not declared", opening(models={"z": [0]}), "compare", 2, ""),
        *_each(
            "of a baseline that is a path",
            opening(baselines=["../../x"]),
            "compare",
            2,
            "opening.json",
        ),
        *_each(
            "of a baseline that is a number", opening(baselines=[3]), "compare", 2, "opening.json"
        ),
        *_each(
            "of predictions of objects",
            file(OPENING, "a/seed-0.npy", pickled),
            "compare",
            2,
            "seed-0.npy",
        ),
        *_each(
            "of predictions of code",
            file(OPENING, "a/seed-0.npy", evil),
            "compare",
            2,
            "seed-0.npy",
        ),
        *_each(
            "of predictions of no bytes",
            file(OPENING, "a/seed-0.npy", b""),
            "compare",
            2,
            "seed-0.npy",
        ),
        *_each(
            "of predictions of 10^18",
            file(OPENING, "a/seed-0.npy", _promise("(1000000000000000000, 10)")),
            "compare",
            2,
            "seed-0.npy",
        ),
        *_each(
            "of predictions of 10^30",
            file(OPENING, "a/seed-0.npy", array(zeros + 1e30)),
            "compare",
            2,
            "seed-0.npy",
        ),
        *_each(
            "of negative predictions",
            file(OPENING, "a/seed-0.npy", array(zeros - 1)),
            "compare",
            2,
            "seed-0.npy",
        ),
        *_each(
            "of predictions of doubles",
            file(OPENING, "a/seed-0.npy", array(zeros.astype(float))),
            "compare",
            2,
            "seed-0",
        ),
        *_each(
            "of predictions too few",
            file(OPENING, "a/seed-0.npy", array(zeros[:-1])),
            "compare",
            2,
            "seed-0.npy",
        ),
        *_each(
            "of labels of 99",
            file(OPENING, "labels.npy", array(np.full(360, 99))),
            "compare report",
            2,
            "labels.npy",
        ),
        *_each(
            "of labels of -1",
            file(OPENING, "labels.npy", array(np.full(360, -1))),
            "compare",
            2,
            "labels.npy",
        ),
        *_each(
            "whose manifest is a list",
            _put(f"{TRIAL}/manifest.json", formats.sealed_json({"files": []})),
            "compare",
            2,
            "manifest",
        ),
        *_each(
            "whose manifest has no files",
            _put(f"{TRIAL}/manifest.json", formats.sealed_json({})),
            "compare",
            2,
            "manifest",
        ),
        *_each("whose ledger is forged", _ledger({"opening": "x"}), "compare", 2, "ledger"),
        *_each("whose ledger is a list", _ledger([]), "compare", 2, "ledger"),
        *_each(
            "whose recipe has a bomb's size", _recipe("b" * 999_000), "compare", 2, "recipe.yaml"
        ),
    ]


def _promise(shape: str) -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text.encode()


def _ledger(body: Any) -> Edit:
    def edit(study: Path) -> None:
        if isinstance(body, dict):
            line = {**body, "before": ""}
            line["sha256"] = formats.sha256(formats.canonical(line))
        else:
            line = body
        (study / "ledger.jsonl").write_text(json.dumps(line, sort_keys=True) + "\n")

    return edit


def _recipe(text: str) -> Edit:
    def edit(study: Path) -> None:
        (study / "recipe.yaml").write_text(text)
        reseal(study / "study.json", recipe=formats.sha256(text.encode()))

    return edit


def leading_out() -> list[Case]:
    """Names and links that lead out of the study."""

    def recorded(name: str) -> Edit:
        files = {name: "0" * 64}
        return _put(f"{TRIAL}/manifest.json", formats.sealed_json({"files": files}))

    def added(name: str) -> Edit:
        return lambda s: shutil.copytree(s / TRIAL, s / "trials" / name) and None

    up, root, device = "../../../../etc/passwd", "/etc/passwd", "/dev/zero"
    return [
        *_verified("that records a file above it", recorded(up), "files", "stay inside"),
        *_verified("that records a file elsewhere", recorded(root), "files", "stay inside"),
        *_verified("that records a device", recorded(device), "files", "stay inside"),
        *_verified(
            "whose weights are a device", _link(f"{TRIAL}/weights.safetensors", device), TRIAL
        ),
        *_verified("whose weights are a pipe", _pipe(f"{TRIAL}/weights.safetensors"), "weights"),
        *_verified("whose weights are huge", _sparse(f"{TRIAL}/weights.safetensors"), "weights"),
        *_verified("whose weights are not there", _gone(f"{TRIAL}/weights.safetensors"), "weights"),
        *_verified("with a trial of two lines", added("a\nb/seed-0"), r"a\nb"),
        *_verified("with a trial that colours", added("\x1b[31m/seed-0"), r"\x1b[31m"),
        *_verified("with a seed of 007", added("a/seed-007"), "seed-007"),
        *_verified("with a seed of ７", added("a/seed-７"), "seed-７"),
        *_verified("with a file beside", _put(f"{TRIAL}/evil.py", b"1"), "not written by Bakeoff"),
        *_verified("whose split is huge", _sparse("split.npz"), "split.npz"),
        *_verified("whose split is a pipe", _pipe("split.npz"), "split.npz"),
        *_verified("without a ledger", _gone("ledger.jsonl"), "ledger.jsonl"),
        *_run("whose trials lead elsewhere", _link("trials", "/etc"), 2, "trials", "a link"),
        *_run("whose model leads elsewhere", _link("trials/a", "/etc"), 2, "trials/a", "a link"),
        *_run("whose openings lead out", _link("openings", "/etc"), 2, "openings", "a link"),
        *_run("whose scratch leads out", _linked(".scratch", "/etc"), 2, ".scratch", "a link"),
        *_run("whose locks lead out", _linked(".locks", "/etc"), 2, ".locks", "a link"),
        *_run("that is a file", _as_file, 2, "found a file"),
        *_run("with something else in it", _emptied, 2, "found evil in it"),
        *_run("of another name", lambda s: reseal(s / "study.json", name="y"), 2, "name"),
        *_run("of other images", lambda s: forge_data(s, hash="0" * 64), 2, "many, but others"),
        *_run("of another split", lambda s: reseal(s / "study.json", split="0" * 64), 2, "split"),
        *_run("with code to be kept", _kept_code, 2, "a Python builder runs only where"),
        *_run(
            "whose recipe is a list", lambda s: reseal(s / "study.json", resolved={}), 2, "study"
        ),
        *_run("without identities", lambda s: reseal(s / "study.json", identities={}), 2, "study"),
        *_run("whose study.json is cut", _sparse("study.json", 300), 2, "study.json"),
        *_run("of format 99", lambda s: reseal(s / "study.json", format=99), 2, "format 1"),
        Case(
            "study whose code would run again: verify",
            _retrained,
            ("a Python builder runs only where",),
            printed=True,
        ),
    ]


def _verified(name: str, edit: Edit, *says: str) -> list[Case]:
    """What `verify` finds stands on standard output; it ends with 1 and no error."""
    return [Case(f"study {name}: verify", _copied(edit, ["verify", "s"]), says, 1, said="out")]


def _run(name: str, edit: Edit, code: int, *says: str) -> list[Case]:
    return [Case(f"study {name}: run", _copied(edit, ["run", "r.yaml", "--out", "s"]), says, code)]


def _copied(edit: Edit, words: list[str]) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        shutil.copytree(whole_study(), folder / "s")
        edit(folder / "s")
        (folder / "r.yaml").write_text(json.dumps(RECIPE))
        return words

    return make


def _gone(name: str) -> Edit:
    return lambda study: (study / name).unlink()


def _linked(name: str, target: str) -> Edit:
    def edit(study: Path) -> None:
        shutil.rmtree(study / name, ignore_errors=True)
        (study / name).symlink_to(target)

    return edit


def _as_file(study: Path) -> None:
    shutil.rmtree(study)
    study.write_text("")


def _emptied(study: Path) -> None:
    shutil.rmtree(study)
    study.mkdir()
    (study / "evil").write_text("")


def _kept_code(study: Path) -> None:
    """The study says that it has a third model, trained by code that lies in it."""
    (study / "evil.py").write_text("open('/tmp/bakeoff-was-here', 'w')")
    shutil.copytree(study / "trials" / "a", study / "trials" / "evil")
    document = json.loads((study / "study.json").read_bytes())
    model = {**document["resolved"]["models"]["a"], "python": f"{study}/evil.py:build"}
    del model["layers"], model["output"]
    document["resolved"]["models"]["evil"] = model
    code = formats.sha256((study / "evil.py").read_bytes())
    identities = {**document["identities"], "evil": code}
    reseal(study / "study.json", resolved=document["resolved"], identities=identities)


def _retrained(folder: Path) -> list[str]:
    _copied(_kept_code, [])(folder)
    return ["verify", "s", "--retrain", "evil:0"]


def cases() -> list[Case]:
    """All of them."""
    return [*damaged(), *forged(), *leading_out()]
