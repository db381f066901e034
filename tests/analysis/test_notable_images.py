"""Images in the report: which are chosen, the file they are kept in, where they are shown.

Oracle: probabilities written by hand, the digits' own pixels, and the fifteen known label errors
of MNIST's test part. Cost: 10 s, most of it a study (shared with other tests).
Run: .venv/bin/pytest tests/analysis/test_notable_images.py
"""

from dataclasses import replace

import numpy as np
import pytest

from bakeoff.analysis import notable_images
from bakeoff.analysis.compare import compare
from bakeoff.analysis.notable_images import Mistake, Suspect
from bakeoff.report.page import galleries
from bakeoff.storage.split_file import read_split
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.thumbnails import thumbnails
from bakeoff.study.compare import compare as compare_studies
from benchmarks.label_errors import known_errors
from tests.helpers.fake_study import write_study


@pytest.fixture(scope="module")
def fake(tmp_path_factory):
    return compare([write_study(tmp_path_factory.mktemp("fake") / "study")])


@pytest.fixture
def by_hand(fake):
    """Two seeds and five images of three classes."""
    first = [[0.1, 0.8, 0.1], [0.9, 0.1, 0.0], [0.3, 0.3, 0.4], [0.0, 0.1, 0.9], [0.2, 0.7, 0.1]]
    second = [[0.2, 0.7, 0.1], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8], [0.0, 0.9, 0.1], [0.1, 0.1, 0.8]]
    model = replace(fake.models[0], name="m", seeds=(0, 1))
    return replace(
        fake,
        models=(model,),
        class_names=("a", "b", "c"),
        labels=np.array([0, 0, 0, 0, 1]),
        probabilities={"m": np.array([first, second], dtype=np.float32)},
    )


# ── which images ─────────────────────────────────────────────────────────────────────────────


def test_the_worst_mistakes_by_hand(by_hand):
    found = notable_images.worst_mistakes(by_hand, "m")
    # Image 1 is right with one of two seeds; image 4 is, too. Image 3 has true probability 0.
    assert [each.index for each in found] == [3, 0, 2]
    assert found[1] == Mistake(
        index=0,
        truth=0,
        predicted=1,
        probability=pytest.approx(0.75),
        agree=2,
        seeds=2,
    )
    # One seed says b, the other c: the one with the higher mean probability is named.
    assert (found[0].predicted, found[0].agree) == (1, 1)
    assert notable_images.worst_mistakes(by_hand, "m", most=1) == found[:1]


def test_an_image_without_an_answer_is_no_mistake_to_show(by_hand):
    probabilities = by_hand.probabilities["m"].copy()
    probabilities[:, 3] = np.nan
    odd = replace(by_hand, probabilities={"m": probabilities})
    assert [each.index for each in notable_images.worst_mistakes(odd, "m")] == [0, 2]


def test_label_suspects_by_hand(by_hand):
    # Mean probability of the label: 0.15, 0.55, 0.2, 0.0, 0.4; image 1 agrees with its label, and
    # so does image 4 after all: b has 0.4, c 0.45.
    assert notable_images.label_ranking(by_hand).tolist() == [3, 0, 2, 4, 1]
    found = notable_images.label_suspects(by_hand)
    assert [each.index for each in found] == [3, 0, 2, 4]
    assert found[1] == Suspect(0, 0, 1, pytest.approx(0.75), pytest.approx(0.15))
    assert [each.index for each in notable_images.label_suspects(by_hand, most=2)] == [3, 0]


def test_suspects_are_asked_of_the_model_with_the_lowest_loss(by_hand):
    def with_loss(name, mean):
        score = by_hand.models[0].loss
        estimate = replace(score.estimate, mean=mean)
        return replace(by_hand.models[0], name=name, loss=replace(score, estimate=estimate))

    sure = np.eye(3, dtype=np.float32)[by_hand.labels][None]
    two = replace(
        by_hand,
        models=(with_loss("m", 0.5), with_loss("sure", 0.1)),
        probabilities={**by_hand.probabilities, "sure": sure},
    )
    assert notable_images.label_suspects(two) == ()
    assert galleries.label_suspects(two).text == "No label contradicts sure."


@pytest.mark.filterwarnings("ignore:IProgress not found")  # tqdm, in a notebook
def test_the_ranking_is_cleanlabs(fake):
    rank = pytest.importorskip("cleanlab.rank", reason="cleanlab is not installed")
    best = notable_images.lowest_loss(fake).name
    mean = fake.probabilities[best].astype(np.float64).mean(axis=0)
    scores = rank.get_label_quality_scores(fake.labels, mean, method="self_confidence")
    assert np.diff(scores[notable_images.label_ranking(fake)]).min() > -1e-6


def test_most_known_label_errors_of_mnist_are_among_the_first_hundred(mnist, fake):
    """Here two networks of one layer see 12,000 images for four epochs."""
    from sklearn.neural_network import MLPClassifier

    test = slice(mnist.test_start, None)
    few = np.random.default_rng(0).permutation(mnist.test_start)[:12_000]
    trained_on, tested_on = (
        mnist.images[each].reshape(-1, 784).astype(np.float32) / 255 for each in (few, test)
    )
    settings = {"batch_size": 256, "learning_rate_init": 0.004, "max_iter": 4}
    answers = []
    for seed in (0, 1):
        network = MLPClassifier((64,), **settings, random_state=seed)
        with pytest.warns(match="Maximum iterations"):
            network.fit(trained_on, mnist.labels[few])
        answers.append(network.predict_proba(tested_on).astype(np.float32))
    comparison = replace(
        fake,
        models=(replace(fake.models[0], name="m"),),
        labels=mnist.labels[test],
        probabilities={"m": np.array(answers)},
    )
    assert known_errors(comparison) >= 3  # by chance 0.15


def test_samples_are_evenly_spaced_and_a_few_of_every_class():
    labels = np.array([0] * 15 + [2] * 3 + [1])
    chosen = notable_images.choose_samples(labels, 3)
    assert chosen.tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 18, 15, 16, 17]
    assert notable_images.choose_samples(np.arange(30), 30).tolist() == list(range(20))


# ── a real study ─────────────────────────────────────────────────────────────────────────────


def test_a_run_leaves_pictures_of_exactly_what_its_report_shows(finished_study, digits):
    folder = StudyFolder(finished_study)
    comparison = compare([folder])
    found = comparison.pictures
    mistakes = [notable_images.worst_mistakes(comparison, m.name) for m in comparison.models]
    wanted = {each.index for several in mistakes for each in several}
    for more in ("label_suspects", "shared_mistakes", "correct_alone"):
        wanted |= {each.index for each in getattr(notable_images, more)(comparison) or ()}
    assert set(found.indices.tolist()) == wanted
    split = read_split(folder)
    images = digits.images[split["test"][found.indices]]
    np.testing.assert_array_equal(found.images, thumbnails(images, 16))
    assert np.bincount(found.sample_labels).tolist() == [notable_images.SAMPLES] * 10
    assert folder.pictures_file.stat().st_size < 20_000


def test_a_lost_file_is_made_again_from_the_data(tiny_study):
    folder = StudyFolder(tiny_study)
    before = folder.pictures_file.read_bytes(), folder.report_file.read_bytes()
    folder.pictures_file.unlink()
    folder.report_file.unlink()
    compare_studies([folder]).write()
    assert (folder.pictures_file.read_bytes(), folder.report_file.read_bytes()) == before


def test_other_data_than_was_recorded_gives_no_pictures(tiny_study, digits):
    folder = StudyFolder(tiny_study)
    folder.pictures_file.unlink()
    result = compare_studies([folder])
    pixels = digits.images.copy()
    pixels[0, 0, 0, 0] += 1
    other = replace(digits, images=pixels)
    assert result.illustrated(other).comparison.pictures is None
    assert result.illustrated(digits).comparison.pictures is not None
    content = folder.split_file.read_bytes()
    folder.split_file.write_bytes(content[:-1] + b"x")
    assert result.illustrated(digits).comparison.pictures is None


# ── galleries ────────────────────────────────────────────────────────────────────────────────


def test_a_model_that_is_not_correct_is_not_said_to_say_the_truth(fake):
    """Of three seeds that say three classes, the smallest was taken, here the true one."""
    models = tuple(replace(fake.models[0], name=name) for name in "ab")
    seeds = {"a": [0, 0, 1], "b": [2, 0, 1]}
    probabilities = {
        name: np.stack([0.1 + 0.7 * np.eye(3)[[given]] for given in said]).astype(np.float32)
        for name, said in seeds.items()
    }
    some = replace(fake, labels=np.array([0]), models=models, probabilities=probabilities)
    (alone,) = notable_images.correct_alone(some)
    assert (alone.only, alone.predictions) == ("a", {"a": 0, "b": 1})


def test_images_that_all_models_get_wrong_and_that_a_single_one_gets_right(fake):
    labels = np.array([0, 1, 2, 1])
    answers = {"a": [0, 0, 0, 1], "b": [1, 0, 2, 1], "c": [1, 2, 0, 1]}
    models = tuple(replace(fake.models[0], name=name) for name in answers)
    probabilities = {
        name: np.stack([0.1 + 0.7 * np.eye(3)[given]] * 2).astype(np.float32)
        for name, given in answers.items()
    }
    some = replace(fake, labels=labels, models=models, probabilities=probabilities)
    (shared,) = notable_images.shared_mistakes(some)
    assert (shared.index, shared.predictions, shared.only) == (1, {"a": 0, "b": 0, "c": 2}, None)
    found = {each.index: each.only for each in notable_images.correct_alone(some)}
    assert found == {0: "a", 2: "b"}
    assert notable_images.correct_alone(replace(some, models=models[:1])) == ()
    card = galleries.shared_mistakes(some).cards[0]
    assert card.said == "taken for 0 (2) or 2 (1)"
    assert {card.said for card in galleries.correct_alone(some).cards} == {
        "only a is correct", "only b is correct"
    }  # fmt: skip
