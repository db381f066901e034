"""Predicting new images with a finished study, from its folder alone.

Oracle: the study's own saved test predictions; photographs made from digits whose class is known;
the measure of likeness against images that are plainly something else. Cost: 15 s.
Run: pytest tests/study/winner/test_predictions.py
"""

import re

import numpy as np
import pytest
from markupsafe import escape
from PIL import Image

from bakeoff.errors import DataError, StudyError, UsageError
from bakeoff.storage.split_file import read_split
from bakeoff.study.run import run
from bakeoff.study.winner.predictions import predict
from bakeoff.study.winner.training_profile import FILE
from bakeoff.utils.text import probability
from tests.helpers import small
from tests.helpers.photos import page
from tests.helpers.small import saved

pytestmark = pytest.mark.usefixtures("jobs_in_process")


def test_the_saved_test_predictions_come_out_again(result, test_part):
    for seed in (0, 1):
        found = result.predict(test_part[0], model="mlp", seed=seed)
        np.testing.assert_allclose(found.probabilities, saved(result, f"mlp/seed-{seed}"), 0, 1e-5)
    both = result.predict(test_part[0], model="mlp", ensemble=True)
    mean = (saved(result, "mlp/seed-0") + saved(result, "mlp/seed-1")) / 2
    np.testing.assert_allclose(both.probabilities, mean, 0, 1e-5)
    alike = saved(result, "mlp/seed-0").argmax(1) == saved(result, "mlp/seed-1").argmax(1)
    assert np.array_equal(both.agreement == 1, alike)


def test_what_a_notebook_shows_of_predictions_and_of_a_trained_model(result, test_part):
    found = result.predict(test_part[0], model="mlp", seed=0)
    assert repr(found) == f"<Predictions of {len(found)} images by mlp, seed 0; {found.caution}>"
    shown = found._repr_html_()
    assert shown.count("<tr>") == 21 and "this look at them; the first 20:</p>" in shown
    assert f"<td>{escape(probability(found.probabilities[0].max()))}</td>" in shown
    assert re.fullmatch("<TrainedModel mlp, seed 1, of .*>", repr(result.trained("mlp", seed=1)))


def test_what_the_ensemble_is_worth_on_the_test_images(result, test_part):
    both = result.predict(test_part[0], model="mlp", ensemble=True)
    expected = (both.labels == test_part[1]).mean()
    assert result.comparison.model("mlp").ensemble == pytest.approx(expected, abs=1e-9)


def test_images_that_the_ledger_knows_are_counted(result, test_part, digits, tmp_path):
    (line,) = result.folder.read_ledger()
    found = result.predict(test_part[0], model="mlp", seed=0).test_images
    assert 256 == len(line["images"]) <= found < len(test_part[0])  # two images may be the same
    train = read_split(result.folder)["train"]
    others = digits.images[train[:300]]
    assert result.predict(others, model="mlp", seed=0).test_images == 0
    for place in range(12):
        pixels = np.round(test_part[0][place, ..., 0] * (255 / 16)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{place}.png")
    expected = result.predict(test_part[0][:12], model="mlp", seed=0).test_images
    assert 0 < expected == result.predict(tmp_path, model="mlp", seed=0).test_images


def test_test_images_are_told_while_the_study_is_sealed(tmp_path):
    """Only the ledger's line of an opening knew them: until then they were predicted in silence."""
    npz = small.write_npz(tmp_path / "data.npz")
    sealed = run(small.declare(npz), out=tmp_path / "study", workers=1, keep_sealed=True)
    images = np.load(npz)
    found = sealed.predict(images["x_test"][:1], model="mlp", seed=0)
    assert found.caution == (
        "at least 1 of them is a test image of this study, whose test set is sealed: no ledger "
        "counts this look at them, so decide nothing by it"
    )
    assert sealed.predict(images["x_train"], model="mlp", seed=0).caution == ""


def test_pixels_that_are_no_numbers_are_counted(result, test_part):
    images = test_part[0][:3].astype(float)
    images[1, 2, 3, 0] = images[2] = np.nan
    with pytest.raises(DataError, match=r"found NaN in 65 places: give numbers$"):
        result.predict(images, model="mlp")


def test_one_image_alone_is_predicted_as_among_others(result, test_part):
    images = test_part[0][:7]
    together = result.predict(images, model="mlp", seed=0).probabilities
    rows = result.predict(images.reshape(7, 64), model="mlp", seed=0).probabilities
    np.testing.assert_array_equal(rows, together)
    for place in range(7):
        alone = result.predict(images[place], model="mlp", seed=0).probabilities
        np.testing.assert_allclose(alone[0], together[place], 0, 1e-5)
    flat = result.predict(images[..., 0], model="mlp", seed=0).probabilities
    assert np.array_equal(flat, together)


def test_pictures_and_folders_and_npz_files(result, test_part, tmp_path):
    images, _ = test_part
    bytes_ = np.round(images[:3, ..., 0] * (255 / 16)).astype(np.uint8)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for place, image in enumerate(bytes_):
        Image.fromarray(image).save(tmp_path / "deep" / "er" / f"{place}.png")
    np.savez(tmp_path / "some.npz", x=images[:3])
    array = result.predict(images[:3], model="mlp", seed=0)
    folder = result.predict(tmp_path / "deep", model="mlp", seed=0)
    npz = result.predict([str(tmp_path / "some.npz")], model="mlp", seed=0)
    assert np.array_equal(folder.images, images[:3])
    assert np.array_equal(folder.probabilities, array.probabilities)
    assert np.array_equal(npz.probabilities, array.probabilities)
    assert folder.names == tuple(str(tmp_path / "deep" / "er" / f"{i}.png") for i in range(3))
    assert npz.names[2] == f"{tmp_path / 'some.npz'}[2]"
    assert list(folder.to_frame()["class"]) == folder.classes
    assert folder.csv().splitlines()[1].startswith(f"{folder.names[0]},{folder.classes[0]},")


def test_paths_from_a_glob_or_in_an_array(result, tmp_path):
    for name in ("a", "b"):
        Image.new("L", (8, 8), 9).save(tmp_path / f"{name}.png")
    paths = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    for given in (tmp_path.glob("*.png"), np.array(paths)):
        assert sorted(result.predict(given, model="mlp").names) == paths


def test_arrays_pictures_and_frames_are_read_as_data_is(result, test_part):
    """Numbers of palettes, and columns sorted as text, were the pixels: other classes, no word."""
    pandas = pytest.importorskip("pandas")
    images = test_part[0][:4, ..., 0].astype(np.uint8)
    plain = result.predict(images, model="mlp", seed=0).probabilities
    pictures = [Image.fromarray(each) for each in images]
    frame = pandas.DataFrame(images.reshape(4, 64), columns=[f"pixel{i}" for i in range(64)])
    transparent = [each.convert("LA") for each in pictures]
    for given in (pictures, transparent, frame, frame[sorted(frame.columns)]):
        found = result.predict(given, model="mlp", seed=0)
        np.testing.assert_array_equal(found.images[..., 0], images)
        np.testing.assert_array_equal(found.probabilities, plain)
    for given in (pictures[0].quantize(9), [each.quantize(9) for each in pictures]):  # in colour
        with pytest.raises(DataError, match=r"^images: expected numbers of shape \(n, 8, 8, 1\)"):
            result.predict(given, model="mlp")
    with pytest.raises(DataError, match=r"^images: expected arrays without gaps, found one with"):
        result.predict(np.ma.masked_greater(images, 3), model="mlp")


def test_a_photograph_is_centred_and_a_plain_picture_is_not(result, test_part, tmp_path):
    images, _ = test_part
    for place in range(10):
        Image.fromarray(page(images[place, ..., 0] / 16, seed=place)).save(
            tmp_path / f"photo{place}.jpg", quality=90
        )
    plain = result.predict(images[:10], model="mlp", seed=0)
    photo = result.predict(tmp_path, model="mlp", seed=0)
    assert photo.centred.sum() >= 8 and not plain.centred.any()
    assert (photo.labels == plain.labels)[photo.centred].mean() >= 0.7
    assert photo.notes(int(photo.centred.argmax()))[0] == "centred"
    never = result.predict(tmp_path, model="mlp", seed=0, adapt="never")
    assert not never.centred.any() and never.unlike.all()
    assert never.notes(0)[0] == "unlike training"


def test_without_data_and_profile_likeness_is_unknown(tmp_path, rng):
    from tests.helpers import small

    npz = small.write_npz(tmp_path / "data.npz")
    result = run(small.declare(npz), out=tmp_path / "study", workers=1)
    images = rng.integers(0, 255, (4, 6, 6)).astype(np.uint8)
    known = result.predict(images, model="mlp")
    npz.unlink()  # the folder alone is enough, and keeps its profile
    assert np.array_equal(result.predict(images, model="mlp").unlike, known.unlike)
    (tmp_path / "study" / FILE).write_bytes(b"damaged")
    found = result.predict(images, model="mlp")
    assert found.unlike is None
    assert np.array_equal(found.probabilities, known.probabilities)


REFUSED = [
    (np.zeros((2, 5, 5)), "images: expected numbers of shape (n, 8, 8, 1), found float64 of shape "
     "(2, 5, 5): give images of 8 × 8 × 1, or picture files"),
    (np.full((2, 8, 8), 255), "images: expected pixels from 0 to 16, as the study's data has them, "
     "found 255 to 255: bring them to that scale"),
    (np.full((2, 8, 8), 0.5), "images: expected pixels from 0 to 16, as the study's data has them, "
     "found nothing above 0.5: multiply by 16"),
    ([[1, 2], [3]], "images: expected arrays, found a list of things of several shapes: give "
     "images of one shape as one array, apart from their labels"),
    (None, "images: expected arrays of numbers or text, found NoneType: give images of one shape "
     "as one array, apart from their labels"),
    ({"x": np.zeros((2, 8, 8))}, "images: expected arrays of numbers or text, found dict: give "
     "images of one shape as one array, apart from their labels"),
    ("", "expected the path of a picture or a folder, found an empty one"),
    ("nowhere", "nowhere: expected a picture or a folder, found nothing"),
    ("n" * 300, f"…{'n' * 199}: expected a picture or a folder, found nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("images", "message"), REFUSED, ids=[m[:30] for _, m in REFUSED])
def test_what_cannot_be_predicted(result, images, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        result.predict(images, model="mlp")


def test_a_picture_is_found_again_by_its_name_however_long(result, tmp_path):
    deep = tmp_path / ("a" * 120) / ("b" * 120)
    deep.mkdir(parents=True)
    Image.fromarray(np.full((8, 8), 200, np.uint8)).save(deep / "c.png")
    (row,) = result.predict(tmp_path, model="mlp").rows()
    assert row["image"] == str(deep / "c.png")


@pytest.mark.parametrize(("seed", "found"), [(True, "True"), (1.5, "1.5"), ("0", "'0'")])
def test_a_seed_is_a_whole_number(result, seed, found):
    with pytest.raises(UsageError, match=f"^seed: expected a whole number, found {found}$"):
        result.trained("mlp", seed=seed)


def test_a_broken_picture_is_left_out_or_raised(result, tmp_path):
    Image.fromarray(np.full((9, 9), 200, np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"nothing")
    trained = result.trained("mlp", seed=0)
    told = []
    assert len(predict(tmp_path, trained, on_broken=told.append)) == 1
    assert told == [f"{tmp_path / 'b.png'}: not an image that can be read here"]
    with pytest.raises(DataError, match=re.escape(told[0])):
        predict(tmp_path, trained)


def test_a_sealed_study_predicts_with_a_model_that_is_named(tmp_path):
    from tests.helpers import small

    npz = small.write_npz(tmp_path / "data.npz")
    result = run(small.declare(npz), out=tmp_path / "s", workers=1, keep_sealed=True)
    assert len(result.predict(np.zeros((1, 6, 6)), model="linear")) == 1
    with pytest.raises(StudyError, match=r"is sealed: name one with --model \(linear and mlp\)$"):
        result.predict(np.zeros((1, 6, 6)))
