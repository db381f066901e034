"""B1, the careless user: fourteen ways to a second look at a test set without a word; none works.

Oracle: the protocol. Whatever is done to a study's folder, the table belongs to the networks it
names, and a second opening is refused, counted, or said.
Cost: 25 s, most of it training. Run: pytest tests/study/test_seal.py
"""

import io
import re
import shutil
from contextlib import redirect_stdout

import numpy as np
import pytest
from PIL import Image

from bakeoff.cli.output import show
from bakeoff.errors import DamagedFile, RecipeError, StudyError
from bakeoff.storage.split_file import read_split
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.compare import compare
from bakeoff.study.status import status
from bakeoff.study.verify import verify
from bakeoff.study.winner.trained_model import trained_model
from bakeoff.utils.events import Watcher
from tests.helpers.jobs import Listener
from tests.helpers.small import BUILDER, MODELS, carry_out, write_npz

pytestmark = pytest.mark.usefixtures("jobs_in_process")  # nothing here is looked at

LINEAR = {"linear": MODELS["linear"]}
WIDER = {"linear": {"layers": [{"dense": 3}]}}
SMALL = {"models": LINEAR, "baselines": [], "training": {"epochs": 1, "batch_size": 16}}


@pytest.fixture(scope="module")
def opened(npz, tmp_path_factory):
    """A study that was opened, below its user's home."""
    place = tmp_path_factory.mktemp("opened")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BAKEOFF_HOME", str(place / "home"))
        carry_out(npz, place / "sealed", options={"keep_sealed": True}, **SMALL)
        shutil.copytree(place / "sealed", place / "small")
        carry_out(npz, place / "small", **SMALL)
    return place


@pytest.fixture
def out(opened, tmp_path, monkeypatch):
    """The study in a place of its own, opened there: the user's ledger knows that place."""
    monkeypatch.setenv("BAKEOFF_HOME", str(tmp_path / "home"))
    shutil.copytree(opened / "sealed", tmp_path / "sealed")
    return shutil.copytree(opened / "small", tmp_path / "small")


@pytest.fixture
def known(npz, out):
    carry_out(npz, out, **SMALL)  # opens nothing, and tells this home's ledger
    return out


def said(result):
    """Return what a reader of the table is told."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        show(result.table())
    return " ".join(printed.getvalue().split())


def told_twice(result, openings=2):
    assert result.comparison.test_openings == openings
    assert result.to_json()["exploratory"]
    assert f"the test set was opened {openings} times" in said(result)


def told_elsewhere(result, what="this same test set"):
    assert result.comparison.openings_elsewhere >= 1
    assert "opened-elsewhere" in {finding.code for finding in result.findings}
    assert f"Other studies of yours opened {what}" in said(result)


def changed_after_opening(out):
    return (
        f"{out}: expected linear as it was when the test set was opened, with layers 0 entries; "
        "found 1 entries: undo the change, give the changed model another name, or give the "
        "changed recipe another place with --out"
    )


# ── fourteen ways ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("more", [[], ["openings"]], ids=["trials", "trials and openings"])
def test_trials_removed_and_the_model_changed(npz, known, more):
    """1 and 2."""
    for room in ("trials/linear", *more):
        shutil.rmtree(known / room)
    with pytest.raises(StudyError, match=f"^{re.escape(changed_after_opening(known))}$"):
        carry_out(npz, known, **{**SMALL, "models": WIDER})


@pytest.mark.parametrize("whole", [False, True], ids=["its record", "the whole folder"])
def test_the_record_removed(npz, known, whole):
    """3 and 4: also the ledger, or the whole study, to begin again in the same place."""
    if whole:
        shutil.rmtree(known)
    else:
        for room in ("trials", "openings"):
            shutil.rmtree(known / room)
        (known / "ledger.jsonl").unlink()
    told_twice(carry_out(npz, known, **{**SMALL, "models": WIDER}))
    assert [line["opening"] for line in StudyFolder(known).read_ledger()] == [1, 2]
    assert verify(StudyFolder(known)).differences == ()


def test_the_same_networks_again_in_the_same_place_are_no_second_look(npz, known):
    shutil.rmtree(known)
    result = carry_out(npz, known, **SMALL)
    assert result.comparison.test_openings == 1
    assert not result.comparison.exploratory
    assert result.comparison.openings_elsewhere == 0


@pytest.mark.parametrize("name", ["small", "another"], ids=["another place", "another name"])
def test_the_changed_networks_elsewhere(npz, known, name):
    """5 and 6: another place, another name."""
    changes = {**SMALL, "models": WIDER, "name": name}
    told_elsewhere(carry_out(npz, known.parent / "other", **changes))


def test_a_copy_made_before_the_opening(npz, known):
    """7: the copy is sealed, so its networks may change; the test set is not unseen."""
    copy = known.parent / "sealed"
    shutil.rmtree(copy / "trials")
    told_elsewhere(carry_out(npz, copy, **{**SMALL, "models": WIDER}))


def test_other_class_names_and_values(npz, known, tmp_path):
    """8 and U8: the same pictures as floats, the labels called otherwise."""
    with np.load(npz) as arrays:
        changed = {
            name: array / np.float32(255) if name.startswith("x") else array + 7
            for name, array in arrays.items()
        }
    np.savez(tmp_path / "renamed.npz", **changed)
    told_elsewhere(carry_out(tmp_path / "renamed.npz", tmp_path / "other", **SMALL))


def test_another_split_seed(npz, tmp_path):
    """9 and U8: another test set, of which some images are known."""
    with np.load(npz) as arrays:
        np.savez(tmp_path / "pool.npz", x=arrays["x_train"], y=arrays["y_train"])
    carry_out(tmp_path / "pool.npz", tmp_path / "one", **SMALL, split={"test": 0.5})
    again = carry_out(
        tmp_path / "pool.npz", tmp_path / "two", **SMALL, split={"test": 0.5, "seed": 1}
    )
    told_elsewhere(again, "some of its images")
    sets = [set(read_split(StudyFolder(tmp_path / each))["test"]) for each in ("one", "two")]
    share = len(sets[0] & sets[1]) / len(sets[0])
    assert again.comparison.shared_elsewhere == pytest.approx(share)
    assert 0 < share < 1
    [finding] = [each for each in again.findings if each.code == "opened-elsewhere"]
    assert finding.text.startswith(f"Up to {100 * share:.0f} % of this test set of 60 images")


def test_another_size(tmp_path, rng):
    """10 and U8: the same files at another size."""
    for number in range(60):
        pixels = rng.integers(0, 120, (8, 8)) + 45 * (number % 3)
        place = tmp_path / "pictures" / "abc"[number % 3]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(place / f"{number}.png")
    data = {"folder": str(tmp_path / "pictures")}
    for side in (8, 6):
        sized = {**SMALL, "data": {**data, "size": [side, side]}}
        result = carry_out(tmp_path / "none.npz", tmp_path / f"study-{side}", **sized)
    told_elsewhere(result)


def test_ways_around_cross_validation(npz, tmp_path):
    """11 to 14: there, every image is a test image."""
    with np.load(npz) as arrays:
        np.savez(tmp_path / "pool.npz", x=arrays["x_train"], y=arrays["y_train"])

    def again(out, **split):
        changes = {**SMALL, "seeds": None, "split": {"folds": 2, "repeats": 3, **split}}
        return carry_out(tmp_path / "pool.npz", tmp_path / out, **changes)

    first = again("one")
    assert (first.comparison.test_openings, first.comparison.openings_elsewhere) == (1, 0)
    # 11: more repeats of a study that was opened
    told_twice(again("one", repeats=4))
    # 12 and 13: another number of folds, another seed
    told_elsewhere(again("two", folds=3, seed=1))
    # 14: one test part instead
    once = carry_out(tmp_path / "pool.npz", tmp_path / "three", **SMALL, split={"test": 0.5})
    told_elsewhere(once)
    assert not once.comparison.partly_elsewhere
    told_elsewhere(again("four", seed=2), "this same test set, or a part of it,")
    # and as in 1, a model changed after its trials were removed
    shutil.rmtree(tmp_path / "one/trials")
    with pytest.raises(StudyError, match="expected linear as it was when the test set was opened"):
        carry_out(
            tmp_path / "pool.npz",
            tmp_path / "one",
            **{**SMALL, "models": WIDER, "seeds": None, "split": {"folds": 2, "repeats": 4}},
        )


# ── weights exchanged ────────────────────────────────────────────────────────────────────────


def exchange(known, other):
    """Put a trial of the same model, trained elsewhere with other data, in the place of seed 1."""
    shutil.rmtree(known / "trials/linear/seed-1")
    shutil.copytree(other / "trials/linear/seed-1", known / "trials/linear/seed-1")


def test_a_replaced_trial_shows_nothing_of_the_old(npz, known, tmp_path):
    other = write_npz(tmp_path / "other.npz", train=117)
    carry_out(other, tmp_path / "other", **SMALL, options={"keep_sealed": True})
    exchange(known, tmp_path / "other")
    before = compare([known])
    assert before.comparison.models[0].seeds == (0,)
    assert before.to_json()["changed"] == ["linear seed 1 (replaced)"]
    assert before.to_json()["exploratory"]
    assert before.findings[0].code == "changed-trials"
    assert before.findings[0].text == (
        "1 opened trial is no longer what was opened, and left out here: linear seed 1 (replaced)."
    )
    assert "left out are linear seed 1 (replaced)" in said(before)
    place = known / "trials/linear/seed-1"
    assert verify(StudyFolder(known)).differences == (
        f"{place}: another trial, though opening 1 used it: restore it",
    )
    listener = Listener()
    told_twice(carry_out(npz, known, watcher=listener, **SMALL))
    assert listener.of("note") == [
        "the test set is opened again, which makes opening 2: the verdicts are exploratory; no "
        "longer what was opened before: linear seed 1 (replaced)"
    ]
    files = [known / f"openings/{number}/linear" for number in (1, 2)]
    same = [
        (files[0] / f"seed-{s}.npy").read_bytes() == (files[1] / f"seed-{s}.npy").read_bytes()
        for s in (0, 1)
    ]
    assert same == [True, False]
    assert verify(StudyFolder(known)).differences == ()


def test_exchanged_seeds_open_nothing_and_predict_nothing(npz, out, tmp_path):
    """A copied folder was tested under another seed's name, and only then refused."""
    sealed, why = tmp_path / "sealed", "expected linear with seed 0, found linear with seed 1: the"
    for place in (sealed, out):
        shutil.rmtree(place / "trials/linear/seed-0")
        shutil.copytree(place / "trials/linear/seed-1", place / "trials/linear/seed-0")
    with pytest.raises(DamagedFile, match=why):
        carry_out(npz, sealed, **SMALL)
    assert StudyFolder(sealed).times_opened() == 0
    assert not [*(tmp_path / "home").glob("ledger/*.jsonl")]
    for do in (status, lambda place: trained_model(StudyFolder(place), seed=0)):
        with pytest.raises(DamagedFile, match=why):
            do(out)


@pytest.mark.parametrize(
    "name", ["history.csv", "weights.safetensors", "timing.json", "environment.json"]
)
def test_a_damaged_trial_opens_nothing(npz, out, tmp_path, name):
    """It was refused when the ledgers had their line: mending it could be another opening."""
    path = tmp_path / "sealed/trials/linear/seed-1" / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    with pytest.raises(DamagedFile, match=f"{re.escape(str(path))}: expected the bytes that were"):
        carry_out(npz, tmp_path / "sealed", **SMALL)
    assert StudyFolder(tmp_path / "sealed").times_opened() == 0
    assert not [*(tmp_path / "home").glob("ledger/*.jsonl")]
    path.write_bytes(whole)
    assert carry_out(npz, tmp_path / "sealed", **SMALL).comparison.test_openings == 1


def test_weights_of_other_settings_predict_nothing(npz, out, tmp_path):
    """They fit into the network, and were called by its name."""
    longer = {**SMALL, "training": {"epochs": 2, "batch_size": 16}}
    carry_out(npz, tmp_path / "other", **longer, options={"keep_sealed": True})
    exchange(out, tmp_path / "other")
    with pytest.raises(StudyError, match="linear/seed-1: expected a trial with the settings of"):
        trained_model(StudyFolder(out), seed=1)


def test_a_removed_trial_is_named_and_the_same_one_comes_back(npz, known):
    """A seed that was unlucky cannot be thrown away in silence."""
    shutil.rmtree(known / "trials/linear/seed-1")
    left = compare([known])
    assert left.to_json()["changed"] == ["linear seed 1 (removed)"]
    assert left.comparison.exploratory
    assert verify(StudyFolder(known)).differences == (
        f"{known / 'trials/linear/seed-1'}: missing, though opening 1 used it: restore it",
    )
    listener = Listener()
    again = carry_out(npz, known, watcher=listener, **{**SMALL, "seeds": [0]})
    assert listener.of("note") == ["the study keeps seed 1, trained earlier"]
    assert again.comparison.test_openings == 1
    assert again.to_json()["changed"] == []
    shutil.rmtree(known / "trials")
    text = (
        f"{known}: expected a trial that is still what was opened, found none: linear seed 0 "
        "(removed) and linear seed 1 (removed); restore them, or run the recipe again, which "
        "opens the test set again and says so"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        compare([known])


# ── lost trials ──────────────────────────────────────────────────────────────────────────────

KILLER = """
import os, signal


def build(input_shape, n_classes):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_lost_trial_keeps_the_seal(npz, tmp_path, real_workers):
    """B4: and opening without it is a decision, which the ledger keeps."""
    (tmp_path / "mine.py").write_text(KILLER)
    lossy = {**SMALL, "models": {**LINEAR, "mine": {"python": f"{tmp_path}/mine.py:build"}}}
    out = tmp_path / "study"
    sealed = carry_out(npz, out, **lossy)
    assert sealed.opened is None
    assert sealed.sealed
    assert sealed.waiting_for == ("mine:0", "mine:1")
    assert [lost.label for lost in sealed.lost] == ["mine seed 0", "mine seed 1"]
    assert sealed.advice == (
        "nothing was opened, since trials are missing: the same command tries them once more, and "
        "with --open-without mine:0 --open-without mine:1 it opens the test set without them, "
        "which is recorded"
    )
    assert not (out / "ledger.jsonl").exists()
    with pytest.raises(RecipeError, match=re.escape("--open-without: expected MODEL:SEED of a ")):
        carry_out(npz, out, **lossy, options={"open_without": ["mine"]})
    half = carry_out(npz, out, **lossy, options={"open_without": ["mine:0"]})
    assert (half.waiting_for, half.opened) == (("mine:1",), None)
    without, listener = ["mine:0", "mine:1", "linear:0"], Listener()
    opened = carry_out(npz, out, **lossy, options={"open_without": without}, watcher=listener)
    assert listener.of("note")[-3:] == [
        "mine seed 0, of --open-without, is not trained; the test set is opened without it",
        "mine seed 1, of --open-without, is not trained; the test set is opened without it",
        "linear seed 0, of --open-without, is there, and counts",
    ]
    assert opened.comparison.test_openings == 1
    assert "missing-trials" in {finding.code for finding in opened.findings}
    [line] = StudyFolder(out).read_ledger()
    assert line["without"] == ["mine:0", "mine:1"]
    again = carry_out(npz, out, **lossy)  # tried once more, lost once more: what is known is shown
    assert len(again.lost) == 2
    assert again.comparison.test_openings == 1


# ── a builder changed while it runs ──────────────────────────────────────────────────────────


class Editor(Watcher):
    """Changes a builder's file as soon as it hears of something."""

    def __init__(self, file, moment):
        self.file, self.moment = file, moment

    def finished(self, label):
        self._heard(label)

    def begin(self, title, jobs):
        self._heard(title)

    def _heard(self, what):
        if what == self.moment:
            self.file.write_text(BUILDER.replace("relu", "tanh"))


@pytest.mark.parametrize(
    ("moment", "trained", "openings"),
    [("mine seed 0", [0], 0), ("mine seed 1", [0, 1], 0), ("testing", [0, 1], 1)],
)
def test_a_builder_changed_during_a_run_trains_and_tests_nothing(
    moment, trained, openings, npz, tmp_path
):
    """Seeds of two networks made one model, and weights were tested in another network."""
    file, out = tmp_path / "mine.py", tmp_path / "study"
    file.write_text(BUILDER)
    mine = {**SMALL, "seeds": 2, "models": {"mine": {"python": f"{file}:build"}}}
    text = (
        f"models.mine.python: expected {file} and what it imports as they were when this run "
        "began, found one changed: undo the change and run again, or put the changed network into "
        "a file of its own, under a name of its own"
    )
    with pytest.raises(RecipeError, match=f"^{re.escape(text)}$"):
        carry_out(npz, out, **mine, watcher=Editor(file, moment), workers=1)
    assert StudyFolder(out).finished() == {"mine": trained}
    assert StudyFolder(out).openings() == []
    assert len(StudyFolder(out).read_ledger()) == openings
    file.write_text(BUILDER)
    assert carry_out(npz, out, **mine).comparison.test_openings == 1
