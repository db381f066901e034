"""The weights of another study's model that is a backbone: where they lie, read back checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bakeoff.errors import StudyError
from bakeoff.recipe.types import Backbone
from bakeoff.storage import array_files, formats, written_folder
from bakeoff.storage.study_folder import StudyFolder


def weights_folder(backbone: Backbone) -> Path:
    """Return the folder with the weights: a trial's, or that of what cross-validation ships.

    Raises StudyError if there is none.
    """
    found, folder = backbone.network, StudyFolder(Path(backbone.study or ""))
    assert found is not None and backbone.model is not None
    place = folder.trial(backbone.model, found.seed)
    place = place if (place / written_folder.WEIGHTS).exists() else folder.shipped(backbone.model)
    if not place.exists():
        raise StudyError(
            f"backbone {backbone.label}: expected the study {folder.path} with the weights of "
            f"{backbone.model}, found none there: bring it back, or name another"
        )
    return place


def backbone_weights(backbone: Backbone) -> Mapping[str, NDArray[Any]]:
    """Return the weights by name; StudyError if they are gone, or others than they were."""
    found, place = backbone.network, weights_folder(backbone)
    assert found is not None
    content = written_folder.read_recorded(place, written_folder.WEIGHTS)
    if formats.sha256(content) != found.weights:
        raise StudyError(
            f"backbone {backbone.label}: expected the weights that this study was begun with, "
            f"found others in {place}: bring them back, or run the recipe with another --out"
        )
    return array_files.read_weights(place / written_folder.WEIGHTS, content)
