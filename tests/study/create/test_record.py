"""The files that a study is recorded in: recipe.yaml, study.json, split.npz.

Oracle: what was recorded, read back. Cost: 2 s. Run: pytest tests/study/create/test_record.py
"""

import json
import os
from dataclasses import replace

import numpy as np

from bakeoff import recipe as recipes
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study import create
from bakeoff.study.create import prepare
from tests.helpers.small import declare, files


def prepared(npz, out):
    return prepare(declare(npz), StudyFolder(out), device="cpu")


def test_what_is_recorded_is_what_was_declared(npz, tmp_path):
    study = prepared(npz, tmp_path / "study")
    assert recipes.load(study.folder.recipe_file) == declare(npz)
    recorded = json.loads(study.folder.study_file.read_text())
    assert (recorded["data"]["hash"], recorded["split"]) == (study.data.hash, study.split.hash)
    with np.load(study.folder.split_file) as arrays:
        for name, part in study.split.parts().items():
            assert np.array_equal(arrays[name], part)


def test_the_same_recipe_again_writes_nothing(npz, tmp_path):
    def times():
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "study").iterdir()}

    prepared(npz, tmp_path / "study")
    before = times()
    assert prepared(npz, tmp_path / "study").notes == ()
    assert times() == before


def test_files_edited_in_the_studys_folder_are_written_again_aloud(npz, tmp_path):
    out = tmp_path / "study"
    prepared(npz, out)
    recorded = files(out)
    recipe, split = out / "recipe.yaml", out / "split.npz"
    recipe.write_bytes(recipe.read_bytes().replace(b"margin: 0.002", b"margin: 0.5"))
    os.unlink(split)
    text = (
        "was changed or lost: it is written again; to change the study, change the recipe that "
        "you run"
    )
    assert prepared(npz, out).notes == (f"{recipe} {text}", f"{split} {text}")
    assert files(out) == recorded


def test_the_test_set_s_hash_is_of_its_images_labels_and_class_names(npz, tmp_path):
    study = prepared(npz, tmp_path / "study")
    data, split = study.data, study.split
    pixel, label, trained = data.images.copy(), data.labels.copy(), data.images.copy()
    pixel[split.test[0]] += 1
    label[split.test[0]] = (label[split.test[0]] + 1) % 3
    trained[split.train[0]] += 1

    def hashed(**changes):
        return create.test_hash(replace(data, **changes), split)

    names = ("none", *data.class_names[1:])
    others = [hashed(images=pixel), hashed(labels=label), hashed(class_names=names)]
    assert len({hashed(), *others}) == 4
    assert hashed(images=trained) == hashed()
