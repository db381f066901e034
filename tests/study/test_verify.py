"""Every kind of damage to a finished study is found and named.

Oracle: a list of every file of the study that is not derived, each changed in turn. Cost: 15 s,
most of it carrying out the study.
Run: pytest tests/study/test_verify.py
"""

import errno
import os
import re
import shutil

import pytest

from bakeoff.cli import main
from bakeoff.errors import DamagedFile, StudyError
from bakeoff.storage import formats
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.compare import compare
from bakeoff.study.verify import DERIVED, verify
from tests.robustness.hostile.studies import forge

pytestmark = pytest.mark.usefixtures("figures_undrawn")  # nothing here is looked at


EXCHANGED = "the folder was exchanged; restore it, or delete it and run the study again"


def differences(folder):
    return list(verify(StudyFolder(folder)).differences)


def recorded_files(folder):
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name not in DERIVED and ".locks" not in path.parts
    )


def _exchange(one, two):
    one.rename(one.parent / "kept")
    two.rename(one)
    (one.parent / "kept").rename(two)


def test_a_finished_study_is_what_was_recorded(finished_study):
    checked = verify(StudyFolder(finished_study))
    assert (checked.differences, checked.notes) == ((), ())
    assert checked.summary == (
        "checked 7 folders of trials, baselines, openings: every byte is what was recorded"
    )


def test_a_changed_byte_is_found_in_every_file(tiny_study):
    for path in recorded_files(tiny_study):
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        found = differences(tiny_study)
        assert any(text.startswith(f"{path}: ") for text in found), (path, found)
        path.write_bytes(content)
    assert differences(tiny_study) == []


def test_a_missing_file_is_found(tiny_study):
    for path in recorded_files(tiny_study):
        if path == tiny_study / "study.json":
            continue
        content = path.read_bytes()
        path.unlink()
        found = differences(tiny_study)
        assert any(text.startswith(f"{path}: ") for text in found), (path, found)
        path.write_bytes(content)


def test_without_study_json_it_is_no_study(tiny_study):
    (tiny_study / "study.json").unlink()
    with pytest.raises(StudyError, match=re.escape("found no study.json in it")):
        differences(tiny_study)


def test_what_is_derived_may_go(tiny_study):
    for name in DERIVED:
        (tiny_study / name).unlink(missing_ok=True)
    assert differences(tiny_study) == []


def test_two_trials_exchanged(tiny_study):
    one, two = (tiny_study / "trials" / "mlp" / f"seed-{seed}" for seed in (0, 1))
    _exchange(one, two)
    assert differences(tiny_study) == [
        f"{path}: expected mlp with seed {seed}, found mlp with seed {1 - seed}: {EXCHANGED}"
        for seed, path in ((0, one), (1, two))
    ] + [f"{path}: another trial, though opening 1 used it: restore it" for path in (one, two)]


def test_a_trial_that_nobody_declared(tiny_study):
    stranger = tiny_study / "trials" / "mlp" / "seed-7"
    shutil.copytree(tiny_study / "trials" / "mlp" / "seed-0", stranger)
    assert differences(tiny_study) == [
        f"{stranger}: no trial of this study: its recipe does not declare it; move it away"
    ]


@pytest.mark.parametrize(
    ("name", "document"), [("trials/mlp/seed-0/trial.json", {}), ("openings/1/opening.json", [])]
)
def test_a_forged_document_with_its_hashes_redone(tiny_study, name, document):
    """Its bytes are what was recorded, and it is none of ours: that was passed over."""
    path = tiny_study / name
    forge(path.parent, path.name, formats.canonical(document))
    found, *more = differences(tiny_study)
    assert found.startswith(f"{path}: expected what Bakeoff writes there, found something else")
    other = f"{path.parent}: another trial, though opening 1 used it: restore it"
    assert more == ([other] if "trials" in name else [])


def test_what_can_be_read_once_only_is_a_difference(tiny_study, monkeypatch):
    """A failing disk may give a file the first time and not the second."""
    path = tiny_study / "trials" / "mlp" / "seed-0" / "trial.json"
    said = f"{path}: input/output error: check the disk before you trust anything on it"
    plain, seen = os.open, []

    def failing(file, *others, **named):
        seen.append(file)
        if file == path and seen.count(path) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return plain(file, *others, **named)

    monkeypatch.setattr(os, "open", failing)
    assert differences(tiny_study) == [said]


def test_a_trial_that_was_opened_and_is_gone(tiny_study):
    shutil.rmtree(tiny_study / "trials" / "mlp" / "seed-1")
    assert differences(tiny_study) == [
        f"{tiny_study}/trials/mlp/seed-1: missing, though opening 1 used it: restore it"
    ]


def test_a_baseline_that_was_opened_and_is_gone(tiny_study):
    shutil.rmtree(tiny_study / "baselines" / "majority")
    assert differences(tiny_study) == [
        f"{tiny_study}/baselines/majority: missing, though opening 1 used it: restore it"
    ]


def test_two_baselines_exchanged(tiny_study):
    """The table had shown the parameters of one beside the scores of the other."""
    names = ("logistic", "majority")
    one, two = (tiny_study / "baselines" / name for name in names)
    _exchange(one, two)
    assert differences(tiny_study) == [
        f"{path}: another baseline, though opening 1 used it: restore it" for path in (two, one)
    ]
    with pytest.raises(DamagedFile, match=re.escape(f"majority, found logistic: {EXCHANGED}")):
        compare([tiny_study])


def test_an_opening_that_is_gone(tiny_study):
    shutil.rmtree(tiny_study / "openings" / "1")
    assert differences(tiny_study) == [
        f"{tiny_study}/openings/1: missing, though the ledger has it: restore it, or run the study "
        "again: the same trials are opened under the same number, others count as another opening"
    ]
    (tiny_study / "openings" / "1.partial").mkdir()
    assert differences(tiny_study) == []


def test_a_ledger_that_is_gone(tiny_study):
    (tiny_study / "ledger.jsonl").unlink()
    assert differences(tiny_study) == [
        f"{tiny_study}/ledger.jsonl: opening 1 is not in it: restore the line"
    ]


def test_leftovers_are_mentioned_and_are_no_difference(tiny_study):
    places = ["trials/mlp/seed-3.partial", "trials/mlp/notes", "openings/2.partial", "mine.txt"]
    clutter = ["trials/.ipynb_checkpoints/mlp-checkpoint", "trials/mlp/Thumbs.db", "@eaDir"]
    for place in [*places, *clutter]:
        (tiny_study / place).mkdir(parents=True)
    checked = verify(StudyFolder(tiny_study))
    assert checked.differences == ()
    begun = "begun and not finished; the next run goes on with it"
    assert list(checked.notes) == [
        f"{tiny_study}/mine.txt: no part of the study",
        f"{tiny_study}/openings/2.partial: {begun}",
        f"{tiny_study}/trials/mlp/notes: no part of the study",
        f"{tiny_study}/trials/mlp/seed-3.partial: {begun}",
    ]


def test_the_command_prints_a_line_for_each_difference(tiny_study, capsys):
    weights = tiny_study / "trials" / "line" / "seed-0" / "weights.safetensors"
    weights.write_bytes(b"")
    assert main(["verify", str(tiny_study)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{weights}: expected the bytes that were recorded, found others: the file was changed or "
        "damaged; restore it, or delete its folder and run the study again; if that "
        "opens the test set again, that is counted",
        "checked 7 folders of trials, baselines, openings: 1 difference",
    ]
