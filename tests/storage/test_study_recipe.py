"""A study's recipe, from its folder.

Oracle: small folders, hands that edit. Cost: 1 s. Run: pytest tests/storage/test_study_recipe.py
"""

import io
import os
import re

import pytest

from bakeoff.errors import DamagedFile
from bakeoff.storage.study_recipe import as_declared, read_recipe, recorded_recipe
from tests.helpers.disks import DAMAGED
from tests.helpers.fake_study import write_study


def test_a_study_s_recipe_is_read_once(tmp_path, monkeypatch):
    """It was hashed, and read again: what was used need not have been what was checked."""
    folder = write_study(tmp_path / "study")
    study = folder.read_study()
    seen = []

    def watched(plain):
        def opened(file, *rest, **named):
            if not isinstance(file, int):
                seen.append(file)
            return plain(file, *rest, **named)

        return opened

    for module in (os, io):
        monkeypatch.setattr(module, "open", watched(module.open))
    assert list(read_recipe(folder, study).models) == ["mlp", "cnn"]
    assert seen == [folder.recipe_file]


def test_the_recorded_recipe_is_the_one_of_the_file(tmp_path):
    folder = write_study(tmp_path / "study")
    study = folder.read_study()
    assert recorded_recipe(folder, study).models == read_recipe(folder, study).models


def test_a_recorded_recipe_of_other_models_is_refused(tmp_path):
    folder = write_study(tmp_path / "study")
    study = {**folder.read_study(), "identities": {}}
    with pytest.raises(DamagedFile, match=f"^{re.escape(f'{folder.study_file}: {DAMAGED}')}$"):
        recorded_recipe(folder, study)


def test_a_recorded_recipe_that_this_version_refuses_is_not_called_damaged(tmp_path):
    folder = write_study(tmp_path / "study")
    study = folder.read_study()
    text = (
        f"{folder.study_file}: expected a recipe that this version of Bakeoff reads, found one "
        f"that it refuses (recipe {folder.study_file}, margin: expected a number"
    )
    with pytest.raises(
        DamagedFile, match=rf"^{re.escape(text)}.+\): use the version that wrote it$"
    ):
        recorded_recipe(folder, {**study, "resolved": {**study["resolved"], "margin": -1}})


def test_a_trial_is_as_declared_with_its_settings_and_its_selection(tmp_path):
    folder = write_study(tmp_path / "study")
    model = recorded_recipe(folder, folder.read_study()).models["mlp"]
    document = {"selection": "best-loss", "settings": model.resolved()}
    assert as_declared(document, model, "best-loss")
    assert not as_declared(document, model, "last")
    assert not as_declared({"selection": "best-loss"}, model, "best-loss")
