"""A finished trial as a network that predicts.

Oracle: the study's own saved test predictions. Cost: 3 s with the suite's finished study.

Run: pytest tests/study/winner/test_trained_model.py
"""

import pickle
import re

import numpy as np
import pytest

from bakeoff.errors import StudyError
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.winner.trained_model import trained_model
from tests.helpers import small
from tests.helpers.small import saved


def test_the_keras_model_is_the_network_that_was_measured(result, test_part):
    images = test_part[0]
    model = result.model("mlp", seed=1)
    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}
    predicted = model.predict(images, verbose=0)
    np.testing.assert_allclose(predicted, saved(result, "mlp/seed-1"), 0, 1e-5)
    mean = (saved(result, "mlp/seed-0") + saved(result, "mlp/seed-1")) / 2
    ensemble = result.model("mlp", ensemble=True)
    np.testing.assert_allclose(ensemble.predict(images, verbose=0), mean, 0, 1e-5)


def test_a_model_that_has_predicted_goes_to_another_process(result, test_part):
    """Its compiled program went along, which no pickle takes: an AttributeError."""
    trained = result.trained("mlp", seed=1)
    expected = trained.per_seed(test_part[0])
    again = pickle.loads(pickle.dumps(trained))
    np.testing.assert_array_equal(again.per_seed(test_part[0]), expected)


def test_the_recommended_model_and_its_median_seed_by_default(result):
    trained = trained_model(result.folder)
    assert trained.name == result.comparison.recommended.model
    scores = [result.folder.read_trial(trained.name, s)["validation"]["accuracy"] for s in (0, 1)]
    assert trained.seeds == (int(np.argmin(scores)),)  # the lower one of two
    assert trained.reason == (  # two seeds are too few to recommend anything
        "the leading model (the study recommends none), its median seed on the validation part"
    )


@pytest.mark.usefixtures("its_jobs_in_process")
def test_a_builder_that_was_changed_is_given_no_weights(npz, tmp_path):
    """The weights would fit into another network, whose predictions nobody ever tested."""
    file = tmp_path / "mine.py"
    file.write_text(small.BUILDER)
    models = {"mine": {"python": f"{file}:build"}}
    found = small.carry_out(npz, tmp_path / "study", models=models, seeds=1, baselines=[])
    assert trained_model(found.folder, model="mine").predictor is not None
    file.write_text(small.BUILDER.replace("relu", "gelu"))
    with pytest.raises(StudyError, match="the file that built mine when it was trained, and"):
        trained_model(found.folder, model="mine")


@pytest.mark.usefixtures("its_jobs_in_process")
def test_without_validation_images_the_first_seed_is_taken(npz, tmp_path):
    none = {"split": {"validation": 0}, "selection": "last", "baselines": []}
    found = small.carry_out(npz, tmp_path / "study", seeds=[3, 5, 9], **none)
    trained = trained_model(found.folder, model="linear")
    assert trained.seeds == (3,)
    assert trained.reason.endswith(", its first seed, as no validation images prefer one")


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


def test_a_study_without_a_trained_model(tmp_path):
    npz = small.write_npz(tmp_path / "data.npz")
    from bakeoff.study.create import prepare

    folder = StudyFolder(tmp_path / "s")
    prepare(small.declare(npz), folder, device="cpu")
    with pytest.raises(StudyError, match=r"found none trained yet: run `bakeoff run .* --out "):
        trained_model(folder)
