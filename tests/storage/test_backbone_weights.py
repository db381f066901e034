"""The weights of another study's model: those that were found when the study was begun, or none.

Oracle: weights written here, whole messages. Cost: nothing.
Run: pytest tests/storage/test_backbone_weights.py
"""

import numpy as np
import pytest

from bakeoff.errors import StudyError
from bakeoff.recipe.types import Backbone, BackboneNetwork
from bakeoff.storage import array_files, formats, written_folder
from bakeoff.storage.backbone_weights import backbone_weights, weights_folder
from bakeoff.storage.study_folder import StudyFolder

WEIGHTS = array_files.weights_bytes({"a": np.arange(3, dtype=np.float32)})


def backbone(place, **network):
    said = {"input_shape": (8, 8, 1), "layers": (), "seed": 4, "seen": "digits", **network}
    return Backbone(study=str(place), model="cnn", network=BackboneNetwork(**said))


@pytest.mark.parametrize("shipped", [False, True])
def test_weights_are_those_that_were_found_then(tmp_path, shipped):
    study = StudyFolder(tmp_path / "first")
    place = study.shipped("cnn") if shipped else study.trial("cnn", 4)
    files = {written_folder.WEIGHTS: WEIGHTS}
    written_folder.write_folder(place, files, scratch=tmp_path / "scratch")
    declared = backbone(study.path, weights=formats.sha256(WEIGHTS))
    assert weights_folder(declared) == place
    np.testing.assert_array_equal(backbone_weights(declared)["a"], [0, 1, 2])
    with pytest.raises(StudyError) as caught:
        backbone_weights(backbone(study.path, weights="0" * 64))
    assert str(caught.value) == (
        "backbone first/cnn: expected the weights that this study was begun with, found others in "
        f"{place}: bring them back, or run the recipe with another --out"
    )


def test_weights_that_are_gone(tmp_path):
    with pytest.raises(StudyError) as caught:
        weights_folder(backbone(tmp_path / "first", weights="0" * 64))
    assert str(caught.value) == (
        f"backbone first/cnn: expected the study {tmp_path / 'first'} with the weights of cnn, "
        "found none there: bring it back, or name another"
    )
