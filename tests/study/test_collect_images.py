"""Pictures for a report, and what they are called.

Oracle: the files of a small folder. Cost: 5 s of training.
Run: pytest tests/study/test_collect_images.py
"""

import numpy as np
import pytest
from PIL import Image

from bakeoff import recipe as recipes
from bakeoff.storage import thumbnails
from bakeoff.study.run import run

MODELS = {"linear": {"layers": []}}


@pytest.mark.usefixtures("its_jobs_in_process")
def test_pictures_of_a_folder_are_called_by_their_files(tmp_path, rng):
    for kind, light in (("dark", 40), ("light", 200)):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for number in range(12):
            pixels = np.clip(rng.normal(light, 60, (6, 6)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pets" / kind / f"shot {number}.png")
    mapping = {
        "name": "pets",
        "data": {"folder": "pets", "size": [6, 6]},
        "models": MODELS,
        "seeds": 1,
        "baselines": [],
        "training": {"epochs": 1},
    }
    recipe = recipes.parse(mapping, origin="pets", folder=tmp_path)
    comparison = run(recipe, out=tmp_path / "study", workers=1).comparison
    pictures = comparison.pictures
    assert pictures is not None
    files = {path.relative_to(tmp_path / "pets").as_posix() for path in tmp_path.rglob("shot *")}
    assert len(files) == 24
    assert set(pictures.names) | set(pictures.sample_names) <= files
    assert len(pictures.names) == len(pictures.indices) > 0
    path = tmp_path / "study" / "pictures.npz"
    stored = thumbnails.read(
        path, test_hash=pictures.test_hash, n_test=len(comparison.labels), n_classes=2
    )
    assert stored is not None and stored.name(int(stored.indices[0])) == pictures.names[0]
