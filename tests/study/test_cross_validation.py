"""Cross-validated studies: folds, seal, resume, more repeats, the shipped model.

Oracle: the same predictions by hand from the weights on disk; byte-identical folders.
Cost: 15 s. Run: pytest tests/study/test_cross_validation.py
"""

import io
import json
import re
import shutil

import numpy as np
import pytest
from rich.console import Console

from bakeoff.analysis.estimates import (
    estimate,
    estimate_balanced,
    estimate_loss,
    estimate_macro_f1,
)
from bakeoff.analysis.model_scores import ModelScores
from bakeoff.data.folds import make_folds
from bakeoff.data.formats.npz import load_npz
from bakeoff.data.sources import NpzSource
from bakeoff.errors import DataError, StudyError
from bakeoff.report import html, latex, markdown, table
from bakeoff.storage import array_files, formats, written_folder
from bakeoff.storage.backbone_weights import backbone_weights
from bakeoff.storage.split_file import read_folds
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study import verify
from bakeoff.study.compare import compare
from bakeoff.study.create.study_backbones import with_study_backbones
from bakeoff.study.executors.interface import Lost
from bakeoff.study.jobs.development_data import read_development
from bakeoff.study.jobs.job import TrainJob
from bakeoff.study.retrain import retrain
from bakeoff.study.status import status
from bakeoff.study.winner.ship import ShipJob
from bakeoff.study.winner.trained_model import trained_model
from bakeoff.study.winner.training_profile import read_profile
from bakeoff.training.predict import predict
from bakeoff.training.trainer import Development, Trainer
from bakeoff.use.predict import predict_files
from bakeoff.use.serve import live
from bakeoff.use.serve.answers import Answers
from bakeoff.use.serve.live import Live
from bakeoff.utils.events import Watcher
from tests.helpers import small
from tests.helpers.jobs import Killed, Killer, Listener

pytestmark = pytest.mark.usefixtures("jobs_in_process")  # nothing here is looked at


SPLIT = {"folds": 3, "repeats": 3}
N = 90


def write_images(path):
    """Write the images of `small`, without a test part."""
    small.write_npz(path, train=N, test=3)
    with np.load(path) as arrays:
        np.savez(path, x=arrays["x_train"], y=arrays["y_train"])
    return path


@pytest.fixture(scope="module")
def npz(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("images") / "small.npz")


def carry_out(npz, out, **changes):
    return small.carry_out(npz, out, seeds=None, **{"split": SPLIT, **changes})


@pytest.fixture(scope="module")
def study(npz, tmp_path_factory):
    """A finished study: its folder and its result; read only."""
    out = tmp_path_factory.mktemp("study") / "small"
    return StudyFolder(out), carry_out(npz, out)


@pytest.fixture(scope="module")
def data(npz):
    return load_npz(NpzSource(npz))


def drawn(data, repeats=3):
    return make_folds(data.labels, folds=3, repeats=repeats, validation=0.2)


def test_every_image_is_predicted_by_the_network_that_has_not_seen_it(study, npz, data):
    folder, result = study
    folds, recipe = drawn(data), small.declare(npz, seeds=None, split=SPLIT)
    np.testing.assert_array_equal(read_folds(folder), folds.tested)
    for name, model in recipe.models.items():
        for repeat in range(3):
            found = np.load(folder.path / f"openings/1/{name}/seed-{repeat}.npy")
            assert (found.shape, found.dtype) == ((N, 3), np.float32)
            for fold in range(3):
                place = folder.trial(name, repeat) / f"fold-{fold}"
                weights = array_files.read_weights(place / "weights.safetensors")
                test = folds.at(repeat, fold).test
                by_hand = predict(model, weights, data.images[test], maximum=255.0, n_classes=3)
                np.testing.assert_array_equal(found[test], by_hand)
    np.testing.assert_array_equal(np.load(folder.path / "openings/1/labels.npy"), data.labels)
    assert result.comparison.data["test"] == N


def test_a_fold_is_trained_on_its_own_images_with_a_seed_of_its_own(study, npz, data):
    folder, _ = study
    split, model = drawn(data).at(1, 2), small.declare(npz, seeds=None).models["mlp"]
    trainer = Trainer(
        model,
        Development(
            train_images=data.images[split.train],
            train_labels=data.labels[split.train],
            validation_images=data.images[split.validation],
            validation_labels=data.labels[split.validation],
            maximum=255.0,
            n_classes=3,
        ),
        seed=1 * 3 + 2,
        selection="best-loss",
    )
    while not trainer.done:
        trainer.epoch()
    place = folder.trial("mlp", 1) / "fold-2"
    weights = array_files.read_weights(place / "weights.safetensors")
    for name, array in trainer.result().weights.items():
        np.testing.assert_allclose(weights[name], array, atol=1e-6)
    document = json.loads((place / "trial.json").read_text())
    assert (document["seed"], document["fold"], document["network_seed"]) == (1, 2, 5)


def test_workers_are_given_the_images_of_their_fold_alone(npz, data, tmp_path, monkeypatch):
    seen = []

    def look(jobs, **_):
        for job in jobs:
            if isinstance(job, TrainJob):
                arrays = read_development(tmp_path / job.data, maximum=255.0, n_classes=3)
                split = drawn(data).at(job.seed, job.fold)
                np.testing.assert_array_equal(arrays.train_images, data.images[split.train])
                np.testing.assert_array_equal(
                    arrays.validation_images, data.images[split.validation]
                )
                seen.append(job.label)
        return []

    monkeypatch.setattr("bakeoff.study.executors.choose.run_jobs", look)
    carry_out(npz, tmp_path / "out")
    assert len(seen) == len(set(seen)) == 2 * 3 * 3
    assert seen[0] == "linear repeat 0 fold 0" or seen[0].startswith("mlp repeat 0 fold")


def test_a_trial_says_what_its_folds_did(study):
    folder, result = study
    document = folder.read_trial("mlp", 0)
    epochs = [fold["selected_epoch"] for fold in document["folds"]]
    assert document["selected_epoch"] == sorted(epochs)[1]
    assert document["validation"]["images"] == 3 * 12
    assert folder.finished() == {"linear": [0, 1, 2], "mlp": [0, 1, 2]}
    assert [trial.state for trial in status(folder.path).trials] == ["finished"] * 6
    assert result.comparison.seeds == (0, 1, 2)
    verification = verify.verify(folder)
    assert verification.differences == ()


def test_the_intervals_are_those_of_folds(study, data):
    """All of them, also the lead by which "a baseline does as well" is decided."""
    folder, result = study
    tested, labels, differ = drawn(data).tested, data.labels, set()
    majority = np.load(folder.path / "openings/1/baselines/majority.npy").argmax(axis=1) == labels
    for name in ("linear", "mlp"):
        rows = [np.load(folder.path / f"openings/1/{name}/seed-{r}.npy") for r in range(3)]
        scores = ModelScores.of(rows, labels)
        leads = (scores.correct.astype(float) - majority + 1) / 2
        expected, without = (
            [
                estimate(scores.correct, folds=folds),
                estimate_balanced(scores.correct, labels, folds=folds),
                estimate_loss(scores.losses, folds=folds),
                estimate_macro_f1(scores.f1, N // 3, folds=folds),
                estimate(
                    scores.correct[:, labels == 1],
                    folds=None if folds is None else folds[:, labels == 1],
                ),
                estimate(leads, folds=folds),
            ]
            for folds in (tested, None)
        )
        model = result.comparison.model(name)
        found = (model.accuracy, model.balanced_accuracy, model.loss, model.macro_f1)
        found = [*(each.estimate for each in found), model.per_class_accuracy[1].estimate]
        assert found == expected[:5]
        lead = model.leads["majority"]
        assert (lead.low, lead.high) == (2 * expected[5].low - 1, 2 * expected[5].high - 1)
        differ |= {k for k in range(6) if expected[k] != without[k]}
    assert differ == set(range(6))


def test_the_environment_of_every_fold_is_kept(study, tmp_path):
    """B3: of a repeat, only the first fold's was."""
    folder, result = study
    places = [f"trials/mlp/seed-0/fold-{fold}/environment.json" for fold in range(3)]
    assert all((folder.path / place).is_file() for place in places)
    assert result.to_json()["environments"] == {}
    other = StudyFolder(shutil.copytree(folder.path, tmp_path / "other"))
    changed = formats.read_sealed_json(other.path / places[1])
    changed["numpy"] = "1.0"
    (other.path / places[1]).write_bytes(formats.sealed_json(changed))
    again = compare([other])
    assert again.to_json()["environments"]["numpy"] == {np.__version__: 6, "1.0": 1}
    assert "mixed-environments" in {finding.code for finding in again.findings}
    assert verify.verify(other).differences == ()
    (other.path / places[1]).unlink()
    [difference] = verify.verify(other).differences
    assert difference.startswith(f"{other.path / places[1]}: no such file or directory: ")


def test_the_shipped_model_is_trained_on_all_images_to_the_median_epoch(study, npz, data):
    folder, result = study
    name = result.comparison.recommended.model
    epochs = sorted(
        fold["selected_epoch"]
        for seed in range(3)
        for fold in folder.read_trial(name, seed)["folds"]
    )
    document = folder.read_shipped(name)
    assert (document["images"], document["epochs_trained"]) == (N, epochs[4] + 1)
    assert document["validation"] is None
    none = np.zeros(0, dtype=np.int64)
    trainer = Trainer(
        small.declare(npz, seeds=None).models[name],
        Development(data.images, data.labels, data.images[none], none, 255.0, 3),
        seed=0,
        selection="last",
    )
    for _ in range(epochs[4] + 1):
        trainer.epoch()
    weights = array_files.read_weights(folder.shipped(name) / "weights.safetensors")
    for key, array in trainer.result().weights.items():
        np.testing.assert_allclose(weights[key], array, atol=1e-6)


def test_what_was_shipped_can_be_a_backbone_and_of_others_is_said_which_was(study, npz):
    """The weights of its folds were looked for: KeyError."""
    folder, result = study
    name = result.comparison.recommended.model
    (other,) = set(small.MODELS) - {name}

    def found(model):
        backbone = {"study": str(folder.path), "model": model}
        recipe = small.declare(npz, models={"m": {"backbone": backbone, "layers": []}})
        return with_study_backbones(recipe).models["m"].backbone

    content = (folder.shipped(name) / "weights.safetensors").read_bytes()
    assert found(name).network.weights == formats.sha256(content)
    assert set(backbone_weights(found(name))) == set(
        array_files.read_weights(folder.shipped(name) / "weights.safetensors")
    )
    with pytest.raises(StudyError) as caught:
        found(other)
    assert str(caught.value) == (
        f"models.m.backbone: {folder.path}: expected a model that was trained on all images, "
        f"found none of {other}: cross-validation ships the recommended model, once it is opened, "
        f"here {name}"
    )


def test_a_shipped_model_that_is_lost_counts_as_lost(study, npz, tmp_path, monkeypatch):
    """Its loss was a line of the progress, and `run` ended with exit code 0."""
    shutil.copytree(study[0].path, tmp_path / "small")
    shutil.rmtree(tmp_path / "small" / "shipped")
    gone = Lost("on all images", "its worker process died")

    def lose(jobs, **_):
        assert [type(job) for job in jobs] == [ShipJob]
        return [gone]

    monkeypatch.setattr("bakeoff.study.executors.choose.run_jobs", lose)
    assert carry_out(npz, tmp_path / "small").lost == (gone,)


def test_what_was_interrupted_goes_on_and_comes_to_the_same(study, npz, tmp_path):
    out, listener = tmp_path / "again", Listener()
    with pytest.raises(Killed):
        carry_out(npz, out, watcher=Killer(jobs=2), options={"only": ["linear"]}, workers=1)
    done = {f"linear repeat 0 fold {fold}" for fold in (0, 1)}
    assert len(list(out.glob("trials/linear/seed-0.partial/fold-?"))) == 2
    carry_out(npz, out, watcher=listener, workers=1)
    assert not done & {*listener.of("epoch")} and listener.of("note") == []
    assert "linear repeat 0 fold 2" in listener.of("epoch")
    assert small.identical(study[0].path, out)


def test_folds_that_were_trained_otherwise_are_trained_again(npz, tmp_path):
    """Folds of two networks made one trial, reported as the second network's."""
    mlp = {"baselines": [], "models": {"mlp": small.MODELS["mlp"]}, "workers": 1}
    changed = {**mlp, "training": {"epochs": 2, "batch_size": 32, "optimizer": {"adam": 0.001}}}
    with pytest.raises(Killed):
        carry_out(npz, tmp_path / "changed", watcher=Killer(jobs=2), **mlp)
    assert len(list((tmp_path / "changed").glob("trials/mlp/*.partial/fold-?"))) == 2
    listener = Listener()
    carry_out(npz, tmp_path / "changed", watcher=listener, **changed)
    carry_out(npz, tmp_path / "alone", **changed)
    assert small.identical(tmp_path / "changed", tmp_path / "alone")
    assert listener.of("note")[:2] == [
        f"mlp repeat 0 fold {k}: was trained otherwise; once more" for k in (0, 1)
    ]


def test_folds_of_a_version_that_recorded_no_identity_are_kept(npz, tmp_path):
    mlp = {"baselines": [], "models": {"mlp": small.MODELS["mlp"]}, "workers": 1}
    with pytest.raises(Killed):
        carry_out(npz, tmp_path / "earlier", watcher=Killer(jobs=2), **mlp)
    for fold in list((tmp_path / "earlier").glob("trials/mlp/*.partial/fold-?")):
        files = small.files(fold)
        del files[written_folder.MANIFEST]
        document = json.loads(files["trial.json"])
        del document["identity"]
        shutil.rmtree(fold)
        files["trial.json"] = formats.canonical(document)
        written_folder.write_folder(fold, files, scratch=tmp_path / "scratch")
    listener = Listener()
    carry_out(npz, tmp_path / "earlier", watcher=listener, **mlp)
    assert listener.of("note") == []
    assert not {"mlp repeat 0 fold 0", "mlp repeat 0 fold 1"} & set(listener.of("epoch"))


def test_more_repeats_extend_a_study_and_fewer_do_not_shrink_it(study, npz, tmp_path):
    folder, _ = study
    out = StudyFolder(tmp_path / "more")
    shutil.copytree(folder.path, out.path)
    said = []
    watcher = Watcher()
    watcher.note = said.append
    result = carry_out(npz, out.path, split={"folds": 3, "repeats": 4}, watcher=watcher)
    assert result.comparison.seeds == (0, 1, 2, 3)
    assert small.files(out.path / "trials" / "mlp" / "seed-2") == small.files(
        folder.trial("mlp", 2)
    )
    assert read_folds(out).shape == (4, N)
    assert any(text.startswith("the test set is opened again") for text in said)
    carry_out(npz, out.path, split={"folds": 3, "repeats": 3}, watcher=watcher)
    assert "the study keeps its 4 repeats" in said
    assert len(out.openings()) == 2


def test_a_repeat_trained_again_is_the_same(study):
    folder, _ = study
    repeat = retrain(folder, "mlp:1", watcher=Watcher())
    assert repeat.sentence == "mlp seed 1, trained again: every byte the same"


def test_data_with_a_test_part_is_refused(tmp_path):
    npz = small.write_npz(tmp_path / "own.npz")
    message = (
        "split.folds: expected data without a test part of its own, found own, which has one: take "
        "folds out of the split, or give all images as one part"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        carry_out(npz, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_who_shows_the_shipped_model_its_own_training_images_is_told(study, data, tmp_path):
    folder, _ = study
    np.savez(tmp_path / "seen.npz", x=data.images)
    seen, nothing = [str(tmp_path / "seen.npz")], io.StringIO()
    predicted = predict_files(trained_model(folder), seen, adapt="never", standard_input=nothing)
    assert re.fullmatch(
        r"at least \d+ of them are images that this model was trained on: the report's numbers, of "
        r"networks that had not seen them, say more of how well it predicts",
        predicted.remarks[-1],
    )


def test_the_shipped_model_is_the_one_that_predicts(study, data):
    folder, result = study
    name = result.comparison.recommended.model
    trained = trained_model(folder)
    assert trained.reason.endswith(f", trained on all {N} images")
    assert trained.title == f"{name}, the shipped model"  # it was called "seed 0", as a trial is
    weights = array_files.read_weights(folder.shipped(name) / "weights.safetensors")
    expected = predict(trained.recipe, weights, data.images, maximum=255.0, n_classes=3)
    np.testing.assert_allclose(trained.per_seed(data.images)[0], expected, atol=1e-5)
    profile = read_profile(folder)
    assert profile.alarms.tolist() == [0, 0]  # all images trained it: none is left to count on
    assert profile.false_alarms.startswith("how often that is a false alarm is not known")
    assert profile.unlike(data.images).mean() < 0.05
    other = next(each for each in ("linear", "mlp") if each != name)
    with pytest.raises(StudyError, match="cross-validation ships the recommended model"):
        trained_model(folder, model=other)
    with pytest.raises(StudyError, match="ships one network, trained on all images"):
        trained_model(folder, ensemble=True)
    with pytest.raises(StudyError, match="ships one network, trained on all images"):
        trained_model(folder, seed=0)


def test_the_views_speak_of_repeats(study):
    """A network of a fold has a seed of its own, so that numbers are no seed's."""
    comparison = study[1].comparison
    page = re.sub(
        r"<dl.*?</dl>|<style.*?</style>|<script.*?</script>|</?a[^>]*>",
        "",
        html(comparison),
        flags=re.S,
    )
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table(comparison))
    said = [page, console.export_text(), markdown(comparison), latex(comparison)]
    said += [finding.text + finding.advice for finding in comparison.findings]
    said += [pair.sentence for pair in comparison.pairs]
    allowed = r"each with a seed of its own|they have no seed|--seeds \d+"
    left = [re.sub(allowed, "", text) for text in said]
    found = {each for text in left for each in re.findall(r"[^<>]{,90}\bseeds?\b[^<>]{,60}", text)}
    assert not found, found
    assert "a dot is one repeat" in page and "mean of 3 repeats" in page


def test_the_shipped_model_is_served(study, data):
    folder, _ = study
    trained = trained_model(folder)
    answers = Answers(trained)
    labels, _, _ = answers.predict(data.images[:4])
    assert labels == trained.per_seed(data.images[:4])[0].argmax(axis=1).tolist()
    (seed,) = answers.details(data.images[0], answers.predict_each(data.images[:1])[0][0])["seeds"]
    assert seed["class"] == data.class_names[labels[0]]


def test_the_live_page_says_repeat_too(study, monkeypatch):
    folder, _ = study
    picture = Live(folder).picture()
    assert (picture["unit"], picture["running"]) == ("repeat", [])
    monkeypatch.setattr(
        Live, "_trial", lambda self, trial, *_: {**vars(trial), "state": "running", "nodes": []}
    )
    monkeypatch.setattr(live, "_seconds_left", lambda *_: None)
    assert Live(folder).picture()["running"][:2] == ["linear repeat 0", "linear repeat 1"]
