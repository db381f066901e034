"""Predicting new images with a finished study, from its folder alone.

Oracle: the study's own saved test predictions; photographs made from digits whose class is known;
the measure of likeness against images that are plainly something else. Cost: 15 s.
Run: pytest tests/study/test_predictions.py
"""

import re

import numpy as np
import pytest
from PIL import Image

from bakeoff.errors import DataError, StudyError
from bakeoff.storage import formats
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.predictions import predict
from bakeoff.study.run import compare, run
from bakeoff.study.trained_model import trained_model
from bakeoff.study.training_profile import FILE, read_profile
from tests.helpers.photos import page


@pytest.fixture(scope="module")
def result(finished_study):
    return compare([finished_study])


@pytest.fixture(scope="module")
def test_part(finished_study, digits):
    split = StudyFolder(finished_study).read_split()["test"]
    return digits.images[split], digits.labels[split]


def saved(result, name):
    return formats.read_npy(result.folder.openings()[-1] / f"{name}.npy")


def test_the_saved_test_predictions_come_out_again(result, test_part):
    for seed in (0, 1):
        found = result.predict(test_part[0], model="mlp", seed=seed)
        np.testing.assert_allclose(found.probabilities, saved(result, f"mlp/seed-{seed}"), 0, 1e-5)
    both = result.predict(test_part[0], model="mlp", ensemble=True)
    mean = (saved(result, "mlp/seed-0") + saved(result, "mlp/seed-1")) / 2
    np.testing.assert_allclose(both.probabilities, mean, 0, 1e-5)
    alike = saved(result, "mlp/seed-0").argmax(1) == saved(result, "mlp/seed-1").argmax(1)
    assert np.array_equal(both.agreement == 1, alike)


def test_what_the_ensemble_is_worth_on_the_test_images(result, test_part):
    both = result.predict(test_part[0], model="mlp", ensemble=True)
    expected = (both.labels == test_part[1]).mean()
    assert result.comparison.model("mlp").ensemble == pytest.approx(expected, abs=1e-9)


def test_one_image_alone_is_predicted_as_among_others(result, test_part):
    images = test_part[0][:7]
    together = result.predict(images, model="mlp", seed=0).probabilities
    for place in range(7):
        alone = result.predict(images[place], model="mlp", seed=0).probabilities
        np.testing.assert_allclose(alone[0], together[place], 0, 1e-5)
    flat = result.predict(images[..., 0], model="mlp", seed=0).probabilities
    assert np.array_equal(flat, together)


def test_the_keras_model_is_the_network_that_was_measured(result, test_part):
    images = test_part[0]
    model = result.model("mlp", seed=1)
    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}
    predicted = model.predict(images, verbose=0)
    np.testing.assert_allclose(predicted, saved(result, "mlp/seed-1"), 0, 1e-5)
    mean = (saved(result, "mlp/seed-0") + saved(result, "mlp/seed-1")) / 2
    ensemble = result.model("mlp", ensemble=True)
    np.testing.assert_allclose(ensemble.predict(images, verbose=0), mean, 0, 1e-5)


def test_the_recommended_model_and_its_median_seed_by_default(result):
    trained = trained_model(result.folder)
    assert trained.name == result.comparison.recommended.model
    scores = [result.folder.read_trial(trained.name, s)["validation"]["accuracy"] for s in (0, 1)]
    assert trained.seeds == (int(np.argmin(scores)),)  # the lower one of two
    assert trained.reason == (  # two seeds are too few to recommend anything
        "the leading model, though the study recommends none, its median seed on the validation "
        "part"
    )


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


def test_what_is_unlike_training_and_how_often_that_is_wrong(result, test_part, rng):
    profile = read_profile(result.folder)
    images, _ = test_part
    assert profile.unlike(images).mean() < 0.08
    others = [16 - images[:50], np.zeros_like(images[:1]), np.full_like(images[:1], 16)]
    others.append(rng.integers(0, 17, (50, 8, 8, 1)).astype(np.uint8))
    assert all(profile.unlike(each).all() for each in others)
    wrong, among = profile.alarms.tolist()
    split = result.folder.read_split()
    assert among == len(split["validation"]) and wrong < 0.06 * among
    assert profile.false_alarms.startswith(f"{wrong:,} of {among:,} validation images (")


def test_nearest_training_images(result):
    profile = read_profile(result.folder)
    assert profile.nearest(profile.images[5], 3)[0] == 5


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
     "(2, 5, 5, 1): give images of 8 × 8 × 1, or picture files"),
    (np.full((2, 8, 8), 255), "images: expected pixels from 0 to 16, as the study's data has them, "
     "found 255 to 255: bring them to that scale"),
    (np.full((2, 8, 8), 0.5), "images: expected pixels from 0 to 16, as the study's data has them, "
     "found nothing above 0.5: multiply by 16"),
    ("nowhere", "nowhere: expected a picture or a folder, found nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("images", "message"), REFUSED, ids=["shape", "range", "scale", "path"])
def test_what_cannot_be_predicted(result, images, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        result.predict(images, model="mlp")


def test_a_broken_picture_is_left_out_or_raised(result, tmp_path):
    Image.fromarray(np.full((9, 9), 200, np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"nothing")
    trained = result.trained("mlp", seed=0)
    told = []
    assert len(predict(tmp_path, trained, on_broken=told.append)) == 1
    assert told == [f"{tmp_path / 'b.png'}: not an image that can be read here"]
    with pytest.raises(DataError, match=re.escape(told[0])):
        predict(tmp_path, trained)


def test_which_model_and_seed_there_are(result, tmp_path):
    place = result.folder.path
    for asked, message in [
        ({"model": "cnn"}, "expected a trained model (line and mlp), found 'cnn', no such model"),
        ({"model": "mlp", "seed": 7}, "expected a trained seed of mlp (0 and 1), found 7"),
    ]:
        with pytest.raises(StudyError, match=f"^{re.escape(f'{place}: {message}')}$"):
            result.trained(**asked)
    with pytest.raises(StudyError, match="found both: choose one"):
        result.trained("mlp", seed=0, ensemble=True)
    with pytest.raises(StudyError, match=r"found no study\.json"):
        trained_model(StudyFolder(tmp_path))


def test_a_sealed_study_predicts_with_a_model_that_is_named(tmp_path):
    from tests.helpers import small

    npz = small.write_npz(tmp_path / "data.npz")
    result = run(small.declare(npz), out=tmp_path / "s", workers=1, keep_sealed=True)
    assert len(result.predict(np.zeros((1, 6, 6)), model="linear")) == 1
    with pytest.raises(StudyError, match=r"is sealed: name one with --model \(linear and mlp\)$"):
        result.predict(np.zeros((1, 6, 6)))


def test_a_study_without_a_trained_model(tmp_path):
    from tests.helpers import small

    npz = small.write_npz(tmp_path / "data.npz")
    from bakeoff.study.create import prepare

    folder = StudyFolder(tmp_path / "s")
    prepare(small.declare(npz), folder, device="cpu")
    with pytest.raises(StudyError, match=r"found none trained yet: run `bakeoff run .* --out "):
        trained_model(folder)
