"""White in pictures for prediction is what it was in the study's own pictures, or they are refused.

Oracle: the pixels that the study's data set itself has of the same files. Cost: 1 s; nothing is
trained. Run: pytest tests/study/winner/test_read_pictures.py
"""

import re
import sys

import numpy as np
import pytest
from PIL import Image

from bakeoff import recipe as recipes
from bakeoff.data import load
from bakeoff.data.in_memory.python_data import from_python
from bakeoff.errors import DataError
from bakeoff.storage import formats
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import read_recipe
from bakeoff.study.create import prepare
from bakeoff.study.winner.read_pictures import PicturesReader
from bakeoff.study.winner.trained_model import TrainedModel
from bakeoff.use.export.example import example
from bakeoff.use.export.export import _preprocessing

WHITES = {"bytes": (255, np.uint8), "masks": (1, np.uint8), "12 bits": (4095, np.uint16),
          "8 bits in 16": (255, np.uint16), "16 bits": (65535, np.uint16)}  # fmt: skip


def picture(path, seed, white, dtype, side=8):
    levels = np.random.default_rng(seed).integers(0, white + 1, (side, side))
    levels[0, 0] = white
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(levels.astype(dtype)).save(path)
    return path


def study_of(tmp_path, data, given=None):
    """Return a study of this data as far as its folder goes, as a model that could predict."""
    document = {"name": "tiny", "data": data, "seeds": 1, "models": {"line": {"layers": []}}}
    document["split"] = {"validation": 0.25, "test": 0.25}
    document["training"] = {"epochs": 1}
    recipe = recipes.parse(document, origin="test", folder=tmp_path)
    folder = StudyFolder(tmp_path / "study")
    prepare(recipe, folder, device="cpu", data=given)
    return TrainedModel(folder, folder.read_study(), recipe.models["line"], (0,), (), "")


def study_of_pictures(tmp_path, white, dtype, **how):
    files = [
        picture(tmp_path / "in" / name / f"{seed}.png", 10 * k + seed, white, dtype)
        for k, name in enumerate(("cat", "dog"))
        for seed in range(8)
    ]
    return files, study_of(tmp_path, {"folder": str(tmp_path / "in"), "size": [8, 8], **how})


@pytest.mark.parametrize("kind", WHITES)
def test_a_picture_of_the_study_is_read_as_the_study_read_it(tmp_path, kind, monkeypatch):
    files, trained = study_of_pictures(tmp_path, *WHITES[kind])
    data = load(read_recipe(trained.folder, trained.study).data)
    reader = PicturesReader(trained)
    for file, stored in zip(files[:3], data.images, strict=False):
        np.testing.assert_array_equal(reader.read(file)[0], stored)
        np.testing.assert_array_equal(reader.decode(file.read_bytes(), "sent")[0], stored)
    for name, value in (
        ("preprocessing.json", _preprocessing(trained, "float32")),
        ("classes.json", ["cat", "dog"]),
    ):
        (tmp_path / name).write_bytes(formats.canonical(value))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["example.py", *map(str, files[:3])])
    program: dict = {"__file__": "example.py"}
    exec(example("onnx").split("import onnxruntime")[0], program)  # its part before the network
    np.testing.assert_allclose(program["images"], data.images[:3], atol=0.51)


def test_pictures_of_a_frame_of_paths_are_cropped_as_for_training(tmp_path):
    """They were stretched, and a picture of 0 to 15 became 0 or 1."""
    pandas = pytest.importorskip("pandas")
    for k in range(16):
        levels = np.random.default_rng(k).integers(0, 16, (20, 40) if k % 2 else (40, 20))
        Image.fromarray(levels.astype(np.uint8)).save(tmp_path / f"{k}.png")
    files = [str(tmp_path / f"{k}.png") for k in range(16)]
    data = from_python(pandas.DataFrame({"path": files, "label": [0, 0, 1, 1] * 4}))
    trained = study_of(tmp_path, {"arrays": data.hash}, data)
    reader = PicturesReader(trained)
    for file, stored in zip(files, data.images, strict=True):
        np.testing.assert_array_equal(reader.read(file)[0], stored)
    said = _preprocessing(trained, "uint8")
    assert (said["fit"], said["white"]) == ("crop", data.maximum)


def test_floats_whose_white_lies_a_little_above_one_stay_floats(tmp_path, rng):
    """They counted as bytes, and pictures became black and white."""
    images = rng.integers(0, 256, (40, 8, 8)) / 254
    np.savez(tmp_path / "x.npz", x=images.astype(np.float32), y=np.arange(40) % 2)
    trained = study_of(tmp_path, {"npz": str(tmp_path / "x.npz")})
    assert not trained.stores_bytes
    file = picture(tmp_path / "grey.png", 3, 255, np.uint8)
    pixels = PicturesReader(trained).read(file)[0][..., 0]
    np.testing.assert_allclose(pixels, np.asarray(Image.open(file)) / 254, rtol=1e-5)
    PicturesReader(trained).checked(images[:3].clip(0, 0.9), "images")


REFUSED = [
    ("12 bits", 65535, np.uint16, "expected at most 4,095 in pictures of 16 bits, which is white, "
     "found 65,535: bring it to that scale"),
    ("bytes", 4095, np.uint16, "expected 8 bits, or 16 that are used, found 16 whose largest value "
     "is 4,095: what white is cannot be told from that; store it with 8 bits"),
    ("masks", 255, np.uint8, "expected pixels from 0 to 1, as in the study's picture files, found "
     "255: bring it to that scale"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "white", "dtype", "message"), REFUSED)
def test_a_picture_on_another_scale_is_refused(tmp_path, kind, white, dtype, message):
    _, trained = study_of_pictures(tmp_path, *WHITES[kind])
    other = picture(tmp_path / "other.png", 99, white, dtype)
    with pytest.raises(DataError, match=re.escape(message)):
        PicturesReader(trained).read(other)


def test_arrays_of_twelve_bits_take_pictures_of_twelve_bits(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4096, (16, 8, 8)).astype(np.uint16)
    x[:, 0, 0] = 4095
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(16) % 2)
    trained = study_of(tmp_path, {"npz": str(tmp_path / "a.npz")})
    Image.fromarray(x[0]).save(tmp_path / "one.png")
    found = PicturesReader(trained).read(tmp_path / "one.png")[0]
    np.testing.assert_allclose(found[..., 0], x[0], atol=4095 / 255)
    with pytest.raises(DataError, match=r"found bytes: multiply them by 16\.0588"):
        PicturesReader(trained).checked(np.full((1, 8, 8), 200, np.uint8), "images")


@pytest.mark.parametrize("channels", [1, 3])
def test_arrays_are_taken_however_a_data_set_may_have_them(tmp_path, rng, channels):
    images = rng.integers(0, 256, (8, 5, 5, channels), np.uint8)
    np.savez(tmp_path / "a.npz", x=images, y=np.arange(8) % 2)
    reader = PicturesReader(study_of(tmp_path, {"npz": str(tmp_path / "a.npz")}))
    first = np.moveaxis(images, 3, 1)
    others = [images.reshape(8, 25), images[..., 0], first] if channels == 1 else [first]
    for given in (images, *others):
        assert np.array_equal(reader.checked(given, "x"), images)
    for alone in (images[3], first[3], *([images[3, ..., 0]] if channels == 1 else [])):
        assert np.array_equal(reader.checked(alone, "x"), images[3:4])


def test_booleans_are_taken_where_a_data_set_had_them(tmp_path, rng):
    images = rng.random((8, 5, 5, 1)) > 0.5
    np.savez(tmp_path / "a.npz", x=images, y=np.arange(8) % 2)
    reader = PicturesReader(study_of(tmp_path, {"npz": str(tmp_path / "a.npz")}))
    assert np.array_equal(reader.checked(images, "x"), images)


@pytest.mark.parametrize("sides", [(16, 1), (3, 49)])
def test_grey_images_without_channels_are_not_taken_for_rows(tmp_path, rng, sides):
    """A data set needs the channels there; the model leaves no doubt."""
    images = rng.integers(0, 256, (8, *sides, 1), np.uint8)
    np.savez(tmp_path / "a.npz", x=images, y=np.arange(8) % 2)
    reader = PicturesReader(study_of(tmp_path, {"npz": str(tmp_path / "a.npz")}))
    assert np.array_equal(reader.checked(images[..., 0], "x"), images)
    assert np.array_equal(reader.checked(images[3, ..., 0], "x"), images[3:4])
