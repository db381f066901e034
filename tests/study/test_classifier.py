"""A whole study behind scikit-learn's fit and predict.

Oracle: the digits, even or odd. Cost: 2 s.

Run: pytest tests/study/test_classifier.py
"""

import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

import bakeoff
from bakeoff.data.in_memory.python_data import from_python
from bakeoff.errors import DataError, UsageError
from bakeoff.study import classifier


def test_a_class_keeps_its_column_whatever_kind_it_is(digits, tmp_path, monkeypatch):
    """The study calls 1.0 "1", True "1" and b"a" "a", and may order classes otherwise."""
    images = digits.images[:6, ..., 0]
    for classes in ([0.0, 1.0], [False, True], [b"a", b"b"], [9, 10], [-1, 1], ["10", "9"]):
        y = np.array(classes)[[1, 0, 1, 0, 1, 0]]
        winner = bakeoff.Classifier({"a": {"layers": []}}, out=tmp_path)
        monkeypatch.setattr("bakeoff.study.study.carry_out", lambda *_, **__: RESULT)
        winner.fit(images, y[:, None])
        monkeypatch.setattr(classifier, "predict", lambda X, trained, adapt: KNOWN)
        monkeypatch.setattr(classifier, "with_all_seeds", lambda trained: trained)
        assert winner.classes_.tolist() == classes
        first = int(np.flatnonzero(from_python((images, y)).labels == 0)[0])
        assert winner.predict(images).tolist() == [y[first]]


def test_pixels_are_read_as_those_of_a_study(digits, monkeypatch, tmp_path):
    """Numbers of palettes, and columns sorted as text, were the pixels; gaps were filled."""
    pandas = pytest.importorskip("pandas")
    images, y = digits.images[:6].reshape(6, 64), np.array([1, 0, 1, 0, 1, 0])
    frame = pandas.DataFrame(images, columns=[f"pixel{i}" for i in range(64)])
    winner = bakeoff.Classifier({"a": {"layers": []}}, out=tmp_path)
    fitted, predicted = [], []

    def fit(recipe, *, data, **_):
        fitted.append(data.images)
        return RESULT

    def predict(images, trained, adapt):
        predicted.append(images)
        return KNOWN

    monkeypatch.setattr("bakeoff.study.study.carry_out", fit)
    monkeypatch.setattr(classifier, "predict", predict)
    monkeypatch.setattr(classifier, "with_all_seeds", lambda trained: trained)
    winner.fit(frame[sorted(frame.columns)], y).predict(frame[sorted(frame.columns)])
    np.testing.assert_array_equal(fitted[0].reshape(6, 64), images)
    np.testing.assert_array_equal(predicted[0], images)
    masked = np.ma.masked_greater(images, 3)
    for refused in (lambda: winner.fit(masked, y), lambda: winner.predict(masked)):
        with pytest.raises(DataError, match="expected arrays without gaps, found one with masked"):
            refused()


RESULT = SimpleNamespace(
    comparison=SimpleNamespace(recommended=SimpleNamespace(model="a")), trained=lambda name: name
)
KNOWN = SimpleNamespace(probabilities=np.array([[0.9, 0.1]]))


def test_a_fit_that_fails_leaves_what_was_fitted_before(digits, tmp_path, monkeypatch):
    """It left the new labels' classes beside the old network, and predicted wrong ones in silence.

    And it deleted the temporary folder of the study that still predicted.
    """
    images, y = digits.images[:6, ..., 0], np.array([1, 0, 1, 0, 1, 0])
    winner = bakeoff.Classifier({"a": {"layers": []}})
    monkeypatch.setattr("bakeoff.study.study.carry_out", lambda *_, **__: RESULT)
    before = dict(vars(winner.fit(images, y)))

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("bakeoff.study.study.carry_out", interrupted)
    with pytest.raises(KeyboardInterrupt):
        winner.fit(images, np.array(["odd", "even"])[y])
    assert all(vars(winner)[name] is value for name, value in before.items())
    assert Path(winner._folder.name).is_dir()
    winner._folder.cleanup()


def test_predicting_before_fitting(digits):
    """scikit-learn's tools catch their own NotFittedError."""
    with pytest.raises(UsageError) as caught:
        bakeoff.Classifier({"a": {"layers": []}}).predict(digits.images[:2])
    assert isinstance(caught.value, NotFittedError)
    assert str(caught.value) == "expected a classifier that was fitted, found none: call fit first"


def test_labels_that_are_no_classes(digits):
    images = digits.images[:6, ..., 0]
    winner = bakeoff.Classifier({"a": {"layers": []}})
    message = r"^y: expected one class for each image, shape \(n,\), found shape \(6, 3\)$"
    with pytest.raises(DataError, match=message):  # one-hot rows once lost a class
        winner.fit(images, np.eye(3)[[0, 1, 2, 0, 1, 2]])


@pytest.mark.usefixtures("its_jobs_in_process")
def test_a_study_behind_fit_and_predict(tmp_path, digits):
    from sklearn.base import clone

    images, words = digits.images[:400, ..., 0], np.array(["even", "odd"])[digits.labels[:400] % 2]
    networks = {"a": {"layers": [{"dense": 16}]}, "b": {"layers": []}}
    given = bakeoff.Classifier(networks, seeds=2, training={"epochs": 4}, out=tmp_path / "study")
    winner = clone(given).fit(images, words)
    assert winner.classes_.tolist() == ["even", "odd"]
    assert winner.model_ in networks
    chances = winner.predict_proba(images[:50])
    assert chances.shape == (50, 2)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    assert set(winner.predict(images[:50])) <= {"even", "odd"}
    assert winner.score(images, words) > 0.7
    assert winner.result_.folder.report_file.is_file()
    again = pickle.loads(pickle.dumps(winner))
    np.testing.assert_array_equal(again.predict(images[:50]), winner.predict(images[:50]))
    with pytest.raises(UsageError) as caught:  # as cross_val_score does; it was told of --out
        clone(given).fit(images[:300], words[:300])
    assert str(caught.value) == (
        f"{tmp_path / 'study'}: expected the images that this study was begun with, found others: "
        "give Classifier(out=…) another folder, or none, as for cross_val_score, which fits on "
        "others each time"
    )


@pytest.mark.usefixtures("its_jobs_in_process")
def test_with_folds_the_network_trained_on_all_images_predicts(tmp_path, digits):
    """It was refused: the five seeds that stood for none given cannot stand beside folds."""
    images, labels = digits.images[:200, ..., 0], digits.labels[:200]
    folds = {"folds": 2, "repeats": 3}
    winner = bakeoff.Classifier(
        {"a": {"layers": []}}, split=folds, training={"epochs": 3}, out=tmp_path / "study"
    ).fit(images, labels)
    shipped = winner.result_.trained("a")
    assert shipped.shipped and len(shipped.weights) == 1
    np.testing.assert_allclose(winner.predict_proba(images[:20]).sum(axis=1), 1, atol=1e-5)


def test_a_classifier_whose_study_does_not_stay_is_not_pickled(tmp_path):
    """It was, and could not predict once the first object was gone."""
    winner = bakeoff.Classifier({"a": {"layers": []}})
    assert pickle.loads(pickle.dumps(winner)).models == winner.models  # nothing is fitted yet
    winner._folder = tmp_path
    with pytest.raises(UsageError, match="expected a classifier whose study stays, found one in a"):
        pickle.dumps(winner)
