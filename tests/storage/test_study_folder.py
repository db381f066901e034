"""The study folder under disks that fail and hands that edit.

Oracle: errors injected into every call that writes, every byte of small folders flipped.
Cost: 3 s. Run: pytest tests/storage/test_study_folder.py
"""

import re

import numpy as np
import pytest

from bakeoff.errors import DamagedFile, StudyError
from bakeoff.storage import array_files, atomic, formats, written_folder
from bakeoff.storage.study_folder import StudyFolder, to_go_on

FILES = {
    "trial.json": formats.canonical({"model": "cnn", "seed": 3}),
    "inner/weights.npy": array_files.npy_bytes(np.arange(4, dtype=np.float32)),
    "empty": b"",
    written_folder.TIMING: formats.sealed_json({"seconds": 1.5}),
}


def trial_document():
    """Return a trial.json that is in order."""
    return {
        "model": "cnn",
        "seed": 3,
        "selection": "last",
        "settings": {"training": {"epochs": 2}},
        "input_shape": [8, 8, 1],
        "n_classes": 10,
        "parameters": 5,
        "trainable_parameters": 5,
        "epochs_trained": 2,
        "selected_epoch": 1,
        "diverged_epoch": None,
        "validation": None,
    }


# ── read back checked ────────────────────────────────────────────────────────────────────────


def test_a_study_of_another_format_or_none_is_refused(tmp_path, monkeypatch):
    folder = StudyFolder(tmp_path)
    text = (
        f"{tmp_path}: expected a study's folder, found no study.json in it: name the folder that "
        "`bakeoff run` printed, for instance studies/digits"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        folder.read_study()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies" / "mine").mkdir(parents=True)
    (tmp_path / "studies" / "mine" / "study.json").touch()
    for name in ("mine", "mine.yaml"):
        with pytest.raises(StudyError, match=r"found no .* in it: did you mean studies/mine\?$"):
            StudyFolder(name).read_study()
    atomic.write_file(folder.study_file, formats.sealed_json({"format": 2}))
    text = (
        f"{folder.study_file}: expected format 1, found 2: this study was written by another "
        "version of Bakeoff; run it with that version"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        folder.read_study()


def test_only_whole_trials_count_as_finished(tmp_path):
    folder = StudyFolder(tmp_path)
    for seed in (2, 10):
        scratch = folder.partial("cnn", seed) / "finished"
        written_folder.write_folder(folder.trial("cnn", seed), FILES, scratch=scratch)
    (tmp_path / "trials" / "cnn" / "seed-7").mkdir()
    (tmp_path / "trials" / "cnn" / "seed-x").mkdir()
    assert folder.finished() == {"cnn": [2, 10]}


def test_what_to_type_to_go_on_is_what_goes_on(tmp_path):
    """A study of arrays was said to go on by a command that could only refuse it."""
    folder = StudyFolder("studies/my own")
    named = {"resolved": {"data": "digits"}}
    assert to_go_on(folder, named) == (
        "bakeoff run 'studies/my own/recipe.yaml' --out 'studies/my own'"
    )
    given = {"resolved": {"data": {"arrays": "a" * 64}}}
    assert to_go_on(folder, given) == "bakeoff.Study(…, data=(x, y)).run(out='studies/my own')"


# ── locks ────────────────────────────────────────────────────────────────────────────────────


def test_documents_that_hold_what_no_version_wrote_are_refused(tmp_path):
    """A list beside the versions, or as a number of images, was a fault of Bakeoff's."""
    folder = StudyFolder(tmp_path)
    place = folder.trial("cnn", 3)
    place.mkdir(parents=True)
    path = place / written_folder.ENVIRONMENT
    path.write_bytes(formats.sealed_json({"jax": "0.10.2", "cores": 2, "node": None}))
    assert folder.read_environments("cnn", 3) == [{"jax": "0.10.2", "cores": 2, "node": None}]
    for odd in ([], {}, 1.5):
        path.write_bytes(formats.sealed_json({"jax": "0.10.2", "cores": odd}))
        with pytest.raises(DamagedFile, match="found something else at cores"):
            folder.read_environments("cnn", 3)


def test_what_belongs_to_another_is_refused(tmp_path):
    """A folder that was copied to the place of another is whole by its own hashes."""
    folder, document = StudyFolder(tmp_path), trial_document()
    files = {"trial.json": formats.canonical(document)}
    for place in (folder.trial("cnn", 3), folder.trial("cnn", 4), folder.shipped("mlp")):
        written_folder.write_folder(place, files, scratch=tmp_path / "scratch")
    assert folder.read_trial("cnn", 3) == document
    exchanged = "the folder was exchanged; restore it, or delete it and run the study again"
    text = f"{folder.trial('cnn', 4)}: expected cnn with seed 4, found cnn with seed 3: {exchanged}"
    with pytest.raises(DamagedFile, match=f"^{re.escape(text)}$"):
        folder.read_trial("cnn", 4)
    text = f"{folder.shipped('mlp')}: expected mlp, found cnn: {exchanged}"
    with pytest.raises(DamagedFile, match=f"^{re.escape(text)}$"):
        folder.read_shipped("mlp")
