"""A study that was opened, read back checked: sealed, damaged, forged.

Oracle: a study that is written here; whole messages. Cost: 3 s.

Run: pytest tests/storage/test_opened_study.py
"""

import json
import re

import pytest

from bakeoff.analysis.compare import compare
from bakeoff.errors import StorageError, StudyError
from bakeoff.storage import formats, written_folder
from bakeoff.storage.study_folder import StudyFolder
from tests.helpers.fake_study import FakeModel, write_study


def test_a_sealed_study_says_what_is_missing_and_what_to_run(tmp_path):
    models = {"a": FakeModel(lost=(0, 1, 2, 3)), "b": FakeModel(lost=(1, 4))}
    study = write_study(tmp_path / "s", models, opened=False)
    with pytest.raises(StudyError) as error:
        compare([study])
    assert str(error.value) == (
        f"{study.path}: expected a study whose test set has been opened, found 6 of 10 trials "
        "missing (a seed 0, a seed 1, a seed 2, a seed 3, b seed 1 and 1 more), and none opened: "
        f"run `bakeoff run {study.path}/recipe.yaml --out {study.path}`"
    )


def test_a_trained_but_sealed_study_says_so(tmp_path):
    study = write_study(tmp_path / "s", opened=False)
    with pytest.raises(StudyError) as error:
        compare([study])
    assert str(error.value) == (
        f"{study.path}: expected a study whose test set has been opened, found all 10 trials "
        f"trained, and none opened: run `bakeoff run {study.path}/recipe.yaml --out {study.path}`"
    )


def test_a_folder_that_is_no_study(tmp_path):
    with pytest.raises(StudyError, match=re.escape(f"{tmp_path}: expected a study's folder")):
        compare([StudyFolder(tmp_path)])


@pytest.mark.parametrize(
    "name",
    [
        "openings/1/mlp/seed-2.npy",
        "openings/1/labels.npy",
        "openings/1/opening.json",
        "openings/1/baselines/logistic.npy",
        "trials/cnn/seed-0/trial.json",
        "trials/cnn/seed-0/history.csv",
        "study.json",
    ],
)
def test_a_changed_byte_is_noticed(tmp_path, name):
    study = write_study(tmp_path / "s", seeds=(0, 1, 2))
    path = study.path / name
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    with pytest.raises(StorageError) as error:
        compare([study])
    assert str(error.value) == (
        f"{path}: expected the bytes that were recorded, found others: the file was changed or "
        "damaged; restore it, or delete its folder and run the study again; if that "
        "opens the test set again, that is counted"
    )


def test_a_missing_file_is_named(tmp_path):
    study = write_study(tmp_path / "s")
    (study.path / "openings/1/mlp/seed-2.npy").unlink()
    with pytest.raises(StorageError, match=re.escape("openings/1/mlp/seed-2.npy: no such file")):
        compare([study])


def test_predictions_of_another_shape_are_refused(tmp_path):
    study = write_study(
        tmp_path / "s", {"a": FakeModel(change=lambda seed, probabilities: probabilities[:-1])}
    )
    with pytest.raises(
        StorageError, match=re.escape("openings/1/a/seed-0.npy: expected the bytes")
    ):
        compare([study])


def test_a_name_cannot_lead_out_of_the_study(tmp_path):
    study = write_study(tmp_path / "s")
    opening = study.openings()[0]
    files = {
        str(path.relative_to(opening)): path.read_bytes()
        for path in opening.rglob("*")
        if path.is_file() and path.name != written_folder.MANIFEST
    }
    listing = json.loads(files["opening.json"])
    listing["models"]["../../trials"] = [0]
    files["opening.json"] = formats.canonical(listing)
    written_folder.write_folder(study.path / "openings/2", files, scratch=study.path / "scratch")
    with pytest.raises(StorageError, match=re.escape("openings/2/opening.json: expected what")):
        compare([study])
