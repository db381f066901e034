"""A study from a recipe to a comparison: sealed, repeatable, opened once.

What is about workers, kills and full disks has real workers; all else is done in this process.
Oracle: a second study that differs in one thing: its workers, its test images, its interruptions.
Cost: 25 s, of which the workers' starts and compiling take most.
Run: pytest tests/study/test_run.py
"""

import asyncio
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import bakeoff
from bakeoff.errors import RecipeError, StorageError, StudyError, UsageError
from bakeoff.storage import formats, history, user_ledger, written_folder
from bakeoff.storage.ledger import read_ledger
from bakeoff.storage.split_file import read_split
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study import run as run_module
from bakeoff.study import status
from bakeoff.study.executors import choose, fork_server, local_processes, worker_count
from bakeoff.study.run import run
from bakeoff.utils.events import Watcher
from tests.helpers import mortal_study
from tests.helpers.jobs import Listener
from tests.helpers.small import LABELS, MODELS, carry_out, declare, files, identical, write_npz

pytestmark = pytest.mark.usefixtures("module_home", "jobs_in_process")  # pictures are not looked at


@pytest.fixture(scope="module")
def done(npz, tmp_path_factory):
    """A study carried out in this process."""
    out = tmp_path_factory.mktemp("done") / "small"
    carry_out(npz, out)
    return out


@pytest.fixture(scope="module")
def worked(npz, tmp_path_factory):
    """The same study, carried out by one worker."""
    out = tmp_path_factory.mktemp("worked") / "small"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("bakeoff.study.executors.choose.run_jobs", local_processes.run_jobs)
        carry_out(npz, out, workers=1)
    return out


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("BAKEOFF_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


# ── identity ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("real_workers")
def test_two_workers_give_the_bytes_that_one_gives(npz, worked, tmp_path):
    result = carry_out(npz, tmp_path / "two", workers=2)
    assert identical(worked, tmp_path / "two")
    assert [model.name for model in result.comparison.models] != []
    assert result.lost == ()


def test_every_folder_is_as_recorded(done):
    folder = StudyFolder(done)
    places = [folder.trial(name, seed) for name in MODELS for seed in (0, 1)]
    places += [folder.baseline(name) for name in ("majority", "logistic")]
    for place in [*places, *folder.openings()]:
        assert written_folder.check_folder(place) == []
    for name in ("recipe.yaml", "study.json", "split.npz", "comparison.json", "report.html"):
        assert (done / name).is_file()
    assert list((done / ".scratch").iterdir()) == []


# ── sealing ──────────────────────────────────────────────────────────────────────────────────


class Spy(Listener):
    """Looks, after every epoch, at what the workers can read in the study's folder."""

    def __init__(self, out, images):
        super().__init__()
        self.out, self.images, self.scratch = out, [each.tobytes() for each in images], []

    def epoch(self, label, result):
        super().epoch(label, result)
        scratch = files(self.out / ".scratch")
        self.scratch.append(sorted(Path(name).name for name in scratch))
        for path in self.paths():
            with suppress(FileNotFoundError):  # workers rename and delete meanwhile
                content = path.read_bytes()
                assert not any(image in content for image in self.images), path

    def paths(self):
        for folder, _, names in os.walk(self.out):  # which goes on where a folder has gone
            yield from (Path(folder) / name for name in names)


@pytest.mark.usefixtures("real_workers")
def test_training_never_meets_the_test_images(npz, worked, tmp_path):
    """With other test images and labels all trials are the same bytes; the opening is not."""
    poisoned = write_npz(tmp_path / "small.npz", poisoned=True)
    with np.load(poisoned) as arrays:
        spy = Spy(tmp_path / "study", arrays["x_test"])
    carry_out(poisoned, tmp_path / "study", watcher=spy)
    for room in ("trials", "baselines"):
        assert files(worked, room) == files(tmp_path / "study", room) != {}
    clean, other = files(worked, "openings/1"), files(tmp_path / "study", "openings/1")
    assert clean.keys() == other.keys()
    same = {name for name in clean if clean[name] == other[name]}
    assert {Path(name).name for name in same} == {"majority.npy"}  # it does not look at images
    names = ["train_images.npy", "train_labels.npy", "validation_images.npy"]
    locked = [each for each in spy.scratch if each]
    assert len(locked) == len(spy.of("epoch")) == 16
    for seen in locked:
        assert [name for name in seen if name.endswith(".npy")] == [*names, "validation_labels.npy"]


def test_a_study_may_stay_sealed(npz, done, tmp_path, own_home):
    out = tmp_path / "study"
    result = carry_out(npz, out, options={"keep_sealed": True})
    assert result.sealed
    assert not (out / "openings").exists()
    assert not (out / "ledger.jsonl").exists()
    assert not own_home.exists()
    text = (
        f"{out}: expected an opened test set, found it sealed: run the study without only= and "
        "keep_sealed=True"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        _ = result.comparison
    listener = Listener()
    assert not carry_out(npz, out, watcher=listener).sealed
    assert [event[1] for event in listener.heard if event[0] == "begin"] == ["testing"]
    assert identical(done, out)


def test_only_trains_what_it_names_and_opens_nothing(npz, tmp_path):
    listener = Listener()
    out = tmp_path / "study"
    result = carry_out(npz, out, watcher=listener, options={"only": ["mlp"]})
    assert result.sealed
    assert StudyFolder(out).finished() == {"mlp": [0, 1]}
    assert sorted(set(listener.of("started"))) == ["mlp seed 0", "mlp seed 1"]
    assert not (out / "openings").exists()
    assert not (out / "baselines").exists()
    states = {(t.model, t.seed): t.state for t in status.status(out).trials}
    assert states == {
        ("linear", 0): "missing",
        ("linear", 1): "missing",
        ("mlp", 0): "finished",
        ("mlp", 1): "finished",
    }


# ── opened once ──────────────────────────────────────────────────────────────────────────────


def test_running_a_finished_study_again_opens_nothing_and_changes_no_byte(npz, done, own_home):
    carry_out(npz, done)  # this user's ledger is a new one
    before = files(done)
    times = {path: path.stat().st_mtime_ns for path in done.rglob("*/1/*")}
    ledger = files(own_home)
    listener = Listener()
    carry_out(npz, done, watcher=listener)
    assert listener.heard == []
    assert files(done) == before
    assert files(own_home) == ledger
    assert {path: path.stat().st_mtime_ns for path in times} == times != {}


def test_both_ledgers_say_what_was_opened(npz, tmp_path, own_home):
    out = tmp_path / "study"
    carry_out(npz, out, models={"linear": MODELS["linear"]}, baselines=["majority"])
    folder = StudyFolder(out)
    document = folder.read_study()
    [line] = folder.read_ledger()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", line.pop("time"))
    assert len(line.pop("sha256")) == 64
    assert line == {
        "opening": 1,
        "study": "small",
        "recipe": formats.sha256((out / "recipe.yaml").read_bytes()),
        "split": document["split"],
        "test": document["data"]["test_hash"],
        "models": {"linear": [0, 1]},
        "weights": {
            key: formats.sha256((out / place / "manifest.json").read_bytes())
            for key, place in [
                ("linear/seed-0", "trials/linear/seed-0"),
                ("linear/seed-1", "trials/linear/seed-1"),
                ("baselines/majority", "baselines/majority"),
            ]
        },
        "baselines": ["majority"],
        "seeds": [0, 1],
        "margin": 0.002,
        "give_up": 0.005,
        "prefer": "parameters",
        "race": None,
        "searches": {},
        "without": [],
        "images": sorted(
            hashlib.sha256(image.tobytes()).hexdigest()[:16] for image in np.load(npz)["x_test"]
        ),
        "before": "",
    }
    own = user_ledger.user_ledger(document["data"]["test_hash"])
    assert own.is_relative_to(own_home)
    [mine] = read_ledger(own)
    assert mine.pop("folder") == str(out)
    assert {**line, **mine} == mine
    opening = folder.read_opening(folder.openings()[0])
    assert opening == {
        "opening": 1,
        "models": {"linear": [0, 1]},
        "baselines": ["majority"],
        "weights": line["weights"],
        "test": document["data"]["test_hash"],
    }


def test_another_study_of_the_same_test_set_is_told_of_the_first(npz, tmp_path, own_home):
    one = {"models": {"linear": MODELS["linear"]}, "baselines": []}
    first = carry_out(npz, tmp_path / "first", **one)
    second = carry_out(npz, tmp_path / "second", name="another", **one)
    assert first.comparison.openings_elsewhere == 0
    assert second.comparison.openings_elsewhere == 1
    assert second.comparison.test_openings == 1


def test_a_crash_between_ledger_and_opening_is_made_good(npz, done, tmp_path, own_home):
    out = tmp_path / "study"
    shutil.copytree(done, out)
    ledger = (out / "ledger.jsonl").read_bytes()
    partial = out / "openings" / "1.partial"
    (out / "openings" / "1").rename(partial)
    (partial / "manifest.json").unlink()
    (partial / "mlp" / "seed-0.npy").write_bytes(b"half-writ")
    (out / "openings" / "3.partial").mkdir()
    listener = Listener()
    result = carry_out(npz, out, watcher=listener)
    assert (out / "ledger.jsonl").read_bytes() == ledger
    assert result.comparison.test_openings == 1
    assert identical(done, out)
    assert [each for each in listener.of("begin")] == ["testing"]
    [line] = read_ledger(user_ledger.user_ledger(json.loads(ledger)["test"]))
    assert line["time"] == json.loads(ledger)["time"]


def test_a_users_ledger_that_cannot_be_written_is_named(npz, done, tmp_path, monkeypatch):
    """B5: it was found after all training."""
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("BAKEOFF_HOME", str(tmp_path / "file"))
    own = user_ledger.user_ledger(StudyFolder(done).read_study()["data"]["test_hash"])
    text = (
        f"{own.with_suffix('.lock')}: not a directory: choose another place for it (BAKEOFF_HOME "
        "names the folder of your own ledgers)"
    )
    for out in (done, tmp_path / "new"):
        with pytest.raises(UsageError, match=f"^{re.escape(text)}$"):
            carry_out(npz, out)
    assert not (tmp_path / "new").exists()


def test_damage_is_named_and_not_laundered_into_a_new_opening(npz, done, tmp_path):
    out = tmp_path / "study"
    shutil.copytree(done, out)
    path = out / "openings" / "1" / "mlp" / "seed-0.npy"
    content = bytearray(path.read_bytes())
    content[-3] ^= 64
    path.write_bytes(content)
    text = re.escape(str(formats.damaged(path)))
    with pytest.raises(StorageError, match=f"^{text}$"):
        carry_out(npz, out)
    with pytest.raises(StorageError, match=f"^{text}$"):
        carry_out(npz, out, seeds=3)
    assert not (out / "openings" / "2").exists()
    assert len(StudyFolder(out).read_ledger()) == 1
    shutil.rmtree(out / "openings" / "1")  # as the message says
    carry_out(npz, out, seeds=2)  # seed 2 has been trained meanwhile
    assert [path.name for path in StudyFolder(out).openings()] == ["2"]
    assert [line["opening"] for line in StudyFolder(out).read_ledger()] == [1, 2]


def test_a_trial_of_other_settings_is_not_opened(npz, done, tmp_path):
    other = tmp_path / "other"
    carry_out(npz, other, models={"mlp": {"layers": []}}, options={"keep_sealed": True})
    out = tmp_path / "study"
    shutil.copytree(done, out)
    shutil.rmtree(out / "openings")
    shutil.rmtree(out / "trials" / "mlp" / "seed-1")
    shutil.copytree(other / "trials" / "mlp" / "seed-1", out / "trials" / "mlp" / "seed-1")
    text = (
        f"{out / 'trials' / 'mlp' / 'seed-1'}: expected a trial with the settings of the study, "
        "found other settings: delete this folder and run the study again"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        carry_out(npz, out)
    shutil.rmtree(out / "trials" / "mlp" / "seed-1")
    carry_out(npz, out)
    assert identical(done, out)


# ── trials that go wrong ─────────────────────────────────────────────────────────────────────


def test_a_model_that_diverges_is_scored_and_flagged(npz, tmp_path):
    explosive = {
        "layers": [{"dense": {"units": 4, "kernel_regularizer": {"l2": 0.01}}}],
        "training": {"optimizer": {"sgd": 1e6}},
    }
    models = {"linear": MODELS["linear"], "explosive": explosive}
    result = carry_out(npz, tmp_path / "study", models=models, baselines=[])
    place = tmp_path / "study" / "trials" / "explosive" / "seed-1"
    document = json.loads((place / "trial.json").read_text())
    assert (document["diverged_epoch"], document["selected_epoch"]) == (0, None)
    assert document["epochs_trained"] == 1
    assert not np.isfinite(history.read_history(place / "history.csv")["val_loss"]).any()
    assert written_folder.check_folder(place) == []
    by_name = {model.name: model for model in result.comparison.models}
    assert by_name["explosive"].diverged == (0, 1)
    assert by_name["linear"].diverged == ()
    assert "explosive" in {finding.model for finding in result.findings}
    assert result.recommended is None  # two seeds say nothing about models
    assert "linear scored highest" in repr(result)
    json.dumps(result.to_json(), allow_nan=False)


@pytest.mark.usefixtures("real_workers")
def test_a_full_disk_stops_with_a_sentence_and_the_study_goes_on_later(
    npz, worked, tmp_path, monkeypatch
):
    """The disk is full when the opening is to be renamed: nothing is lost, nothing is opened."""
    out = tmp_path / "study"

    def full(source, target):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", full)  # of this process, which writes the opening
        text = (
            f"{out / 'openings' / '1'}: no space left on device: free some space and run the same "
            "command again; finished trials are kept"
        )
        with pytest.raises(StorageError, match=f"^{re.escape(text)}$"):
            carry_out(npz, out)
    carry_out(npz, out)
    assert identical(worked, out)
    assert len(StudyFolder(out).read_ledger()) == 1


# ── what the user gives ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"seeds": 0}, RecipeError, "--seeds: expected at least 1, found 0"),
        ({"seeds": 10**9}, RecipeError, "--seeds: expected at most 1,000, found 1,000,000,000"),
        (
            {"only": ["mpl"]},
            RecipeError,
            "--only: expected a model of the recipe (linear, mlp), found 'mpl'",
        ),
        ({"workers": 0}, StudyError, "--workers: expected at least 1, found 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(npz, tmp_path, options, error, text):
    with pytest.raises(error, match=f"^{re.escape(text)}$"):
        run(declare(npz), out=tmp_path / "study", **options)
    assert list(tmp_path.iterdir()) == []


def test_few_trials_at_a_time_where_memory_is_short(npz, tmp_path, monkeypatch):
    """U2."""
    given = []
    monkeypatch.setattr(
        "bakeoff.study.executors.choose.run_jobs",
        lambda jobs, **options: given.append(options["workers"]) or [],
    )
    monkeypatch.setattr(worker_count, "cores", lambda: 8)
    monkeypatch.setattr(choose, "available_memory", lambda: 10**9)
    listener = Listener()
    carry_out(npz, tmp_path / "study", workers=None, watcher=listener)
    assert given == [2]
    assert listener.of("note") == [
        "2 trials at a time, not 8: only 1.0 GB of memory are free, and each takes about 0.5 GB; "
        "--workers 8 insists"
    ]


def test_what_is_refused_or_finished_starts_no_process(npz, done, tmp_path, monkeypatch):
    """Thirty recipes refused in a row would leave thirty processes that import Keras."""

    def started():
        raise AssertionError("a process was started")

    monkeypatch.setattr(run_module, "warm_up", started)
    monkeypatch.setattr(fork_server, "warm_up", started)
    (tmp_path / "thesis.tex").write_text("chapter 1")
    refused = [
        (npz, tmp_path, {}),
        (tmp_path / "none.npz", tmp_path / "study", {}),
        (npz, tmp_path / "study", {"split": {"validation": 120}}),
        (npz, tmp_path / "study", {"models": {"mine": {"python": "none.py:build"}}}),
        (npz, tmp_path / "study", {"models": {"deep": {"layers": ["max_pooling2d"] * 9}}}),
        (npz, done, {"selection": "last"}),
    ]
    for data, out, changes in refused:
        with pytest.raises(UsageError):
            carry_out(data, out, **changes)
    assert not (tmp_path / "study").exists()
    carry_out(npz, done)


def test_a_split_left_by_a_killed_first_try_is_not_believed(npz, done, tmp_path):
    """It is written before study.json, so it may be another recipe's."""
    shutil.copy(done / "split.npz", tmp_path / "split.npz")
    split = {"validation": {"last": 30}}
    options = {"keep_sealed": True}
    carry_out(npz, tmp_path, split=split, models={"linear": MODELS["linear"]}, options=options)
    assert read_split(StudyFolder(tmp_path))["validation"].tolist() == list(range(90, 120))


# ── killed, and two at once ──────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("real_workers")
def test_a_study_killed_twice_ends_in_the_bytes_of_one_that_was_not(npz, worked, tmp_path):
    """There are 28 events: 16 epochs, 6 jobs of training and 6 of testing done."""
    moments = random.Random(os.urandom(8))
    out = tmp_path / "study"
    finished, printed = [], []
    for events in (moments.randint(1, 12), moments.randint(1, 12)):
        process = mortal_study.start(npz, out, tmp_path / "printed", events=events)
        process.join(timeout=120)
        printed.append((events, (tmp_path / "printed").read_text()))
        assert process.exitcode == -signal.SIGKILL, printed
        finished.append(StudyFolder(out).finished())
    listener = Listener()
    carry_out(npz, out, watcher=listener)
    assert identical(worked, out), printed
    before = {f"{model} seed {seed}" for model, seeds in finished[1].items() for seed in seeds}
    assert before.isdisjoint(listener.of("epoch")), printed
    assert len(StudyFolder(out).read_ledger()) == 1


@pytest.mark.usefixtures("real_workers")
def test_two_processes_on_one_study_train_no_trial_twice_and_lose_none(npz, worked, tmp_path):
    out = tmp_path / "study"
    outputs = tmp_path / "one", tmp_path / "other"
    processes = [mortal_study.start(npz, out, output) for output in outputs]
    for process in processes:
        process.join(timeout=180)
    assert [process.exitcode for process in processes] == [0, 0]
    printed = [output.read_text().splitlines() for output in outputs]
    epochs = sorted(line for lines in printed for line in lines if line.startswith("epoch"))
    assert epochs == sorted(f"epoch {label} {number}" for label in LABELS for number in range(4))
    assert identical(worked, out)
    assert len(StudyFolder(out).read_ledger()) == 1


# ── Python's face ────────────────────────────────────────────────────────────────────────────

UNGUARDED = """
import sys
import bakeoff
from bakeoff.utils.events import Watcher

print("begun", flush=True)
models = {"linear": {"layers": []}}
study = bakeoff.Study("plain", data={"npz": sys.argv[1]}, models=models, seeds=2, baselines=[],
                      training={"epochs": 1})
result = study.run(out=sys.argv[2], watcher=Watcher())
print(len(result.comparison.models), flush=True)
"""


def test_a_script_needs_no_main_guard(npz, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, str(script), str(npz), str(tmp_path / "study")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == ("begun\n1\n", "")


def test_a_study_runs_in_a_thread_and_inside_a_running_event_loop(npz, tmp_path):
    """As a server or a notebook would; python -c and standard input: test_fork_server.py."""

    async def in_a_loop():
        return go(tmp_path / "loop")

    def go(out):
        study = bakeoff.Study(
            "t", data={"npz": npz}, models={"a": {"layers": []}}, seeds=1, baselines=[],
            training={"epochs": 1},
        )  # fmt: skip
        return study.run(out=out, watcher=Watcher()).comparison.test_openings

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(go, tmp_path / "thread").result() == 1
    assert asyncio.run(in_a_loop()) == 1


def test_a_path_that_no_ledger_could_name_is_refused_before_anything_is_written(npz, tmp_path):
    out = tmp_path / os.fsdecode(b"caf\xe9") / "study"
    with pytest.raises(UsageError, match="expected a path in UTF-8"):
        run(declare(npz), out=out)
    assert not out.parent.exists()
