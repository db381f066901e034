"""The reproduction: its table of studies, its sums, and the page it writes, on made-up studies.

Oracles: docs/reproduction.md is what docs/reproduction.json gives; fake studies whose
accuracies are exact; for the optimism, independent candidates, where the expectation is known; for
the unsealed experiment, the engine's own history. Nothing is trained on MNIST.
Cost: 15 s, of which 8 train two epochs on digits. Run: pytest tests/project/test_reproduction.py
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from bakeoff import recipe as recipes
from bakeoff.errors import StudyError
from bakeoff.recipe.architecture import describe
from bakeoff.utils.events import Watcher
from reproduction import answers, parts, unsealed
from reproduction.__main__ import JSON, MARKDOWN, main
from reproduction.collect import collect, prediction_interval, rounded
from reproduction.optimism import bought
from reproduction.page import SECTIONS, page, section
from reproduction.reported import CHALLENGES, DOCUMENTS
from tests.helpers.fake_study import FakeModel, write_study

REPOSITORY = Path(__file__).parents[2]

FASHION = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
REPORTED = {each.model: each for document in DOCUMENTS for each in document.models}
UNREPORTED = {"course-1-slow": 0.958, "compact-cnn": 0.996, "compact-mlp": 0.99}


@pytest.fixture(autouse=True)
def own_ledger(tmp_path, monkeypatch):
    monkeypatch.setenv("BAKEOFF_HOME", str(tmp_path / "home"))


# ── the committed results ────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not JSON.exists(), reason="make reproduce has not been run")
def test_the_page_holds_the_numbers_of_the_json():
    document = json.loads(JSON.read_text(encoding="utf-8"))
    assert page(document) == MARKDOWN.read_text(encoding="utf-8")
    assert rounded(document) == document


@pytest.mark.skipif(not JSON.exists(), reason="make reproduce has not been run")
def test_the_page_names_no_command_that_is_none():
    text = MARKDOWN.read_text(encoding="utf-8")
    shown = re.findall(r"`python -m reproduction show ([a-z]+)`", text)
    assert set(shown) <= set(SECTIONS)
    for name in re.findall(r"studies/reproduction/([\w-]+)", text):
        assert name in {part.name for part in parts.PARTS}


# ── the table of studies ─────────────────────────────────────────────────────────────────────


def test_every_model_is_trained_as_published_and_honestly_with_seeds_enough():
    seeds = {(part.recipe, model): part.seeds for part in parts.PARTS for model in declared(part)}
    for document in DOCUMENTS:
        for study in (document.notebook, document.honest):
            shipped = recipes.load(study)
            assert list(shipped.models) == [each.model for each in document.models]
            for model in shipped.models:
                least = 3 if model.endswith("cnn") else 5
                if (study, model) == ("honest-003", "fashion-cnn"):
                    least = 2
                assert seeds[study, model] >= least, (study, model)


def declared(part):
    return list(part.declared().models)


def test_a_part_is_the_shipped_recipe_with_fewer_models():
    part = next(part for part in parts.PARTS if part.name == "honest-001-cnn")
    recipe, shipped = part.declared(), recipes.load("honest-001")
    assert recipe.name == "honest-001-cnn"
    assert dict(recipe.models) == {"cnn": shipped.models["cnn"]}
    assert recipe.model_copy(update={"name": shipped.name, "models": shipped.models}) == shipped


def test_parts_are_named_by_themselves_or_by_their_recipe():
    assert [part.name for part in parts.named(["honest-003"])] == [
        "honest-003-mlp",
        "honest-003-cnn",
    ]
    assert [part.name for part in parts.named(["dead"])] == ["dead"]
    with pytest.raises(StudyError) as raised:
        parts.named(["notebook-005"])
    assert str(raised.value) == (
        "expected a part of the reproduction (notebook-000, honest-000, notebook-001-mlp, "
        "notebook-001-cnn, honest-001-mlp, honest-001-cnn, notebook-002, honest-002, "
        "notebook-003-mlp, notebook-003-cnn, honest-003-mlp, honest-003-cnn, notebook-004, "
        "honest-004, dead, mnist-best, mnist-mlp-best, fashion-best), found 'notebook-005'"
    )


def test_a_test_set_is_not_opened_while_a_trial_is_missing(tmp_path):
    part = next(part for part in parts.PARTS if part.name == "notebook-000")
    models = {"small-mlp": FakeModel(), "tuned-mlp": FakeModel(lost=[3])}
    write_study(tmp_path / part.name, models, name=part.name, opened=False)
    assert parts.missing(part, tmp_path) == ["tuned-mlp seed 3"]

    def never(*args, **options):
        raise AssertionError("opened")

    with pytest.raises(StudyError) as raised:
        parts.open_part(part, root=tmp_path, watcher=Watcher(), run=never)
    assert str(raised.value) == (
        "notebook-000: expected all trials before its test set is opened, found 1 missing "
        "(tuned-mlp seed 3): python -m reproduction train notebook-000"
    )


def test_seeds_beyond_the_planned_ones_must_be_finished_too(tmp_path):
    part = next(part for part in parts.PARTS if part.name == "notebook-000")
    models = {"small-mlp": FakeModel(), "tuned-mlp": FakeModel(lost=[7])}
    write_study(tmp_path / part.name, models, name=part.name, seeds=range(8), opened=False)
    assert parts.missing(part, tmp_path) == ["tuned-mlp seed 7"]


# ── the page ─────────────────────────────────────────────────────────────────────────────────


def fake_accuracies(name, shift=0.0):
    """Accuracies of five seeds around the reported one, as far apart as real seeds are."""
    middle = UNREPORTED.get(name) or REPORTED[name].accuracy
    return [middle + shift + 0.001 * step for step in (-1, 0.5, 0, 0.5, -0.5)]


def write_part(root, name, *, shift=0.0, n_test=2000, **changed):
    part = next(part for part in parts.PARTS if part.name == name)
    models = {
        model: FakeModel(fake_accuracies(model, shift)[: part.seeds], parameters=400_000 - 1000 * k)
        for k, model in enumerate(part.declared().models)
    }
    names = FASHION if "003" in name or "fashion" in name else tuple("0123456789")
    keywords = {"class_names": names, "n_validation": 0} | (
        {"n_validation": 1000} if name.startswith("honest") or name.endswith("best") else {}
    )
    write_study(
        root / name,
        models | changed,
        name=name,
        seeds=range(part.seeds),
        selection="last" if name.startswith("notebook") else "best-loss",
        n_test=n_test,
        **keywords,
    )


def flat(seed):
    row = {"loss": 14.55, "accuracy": 0.09, "learning_rate": 1.0}
    empty = {"val_loss": None, "val_cross_entropy": None, "val_accuracy": None}
    return [{"epoch": k, **row, **empty} for k in range(10)]


def always_five(seed, probabilities):
    answers = np.zeros_like(probabilities)
    answers[:, 5] = 1
    return answers


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    root = tmp_path_factory.mktemp("reproduction")
    for part in parts.PARTS:
        if part.name != "dead":
            write_part(root, part.name, shift=-0.001 if part.name.startswith("honest") else 0.0)
    dead = FakeModel(0.1, history=flat, change=always_five)
    write_study(
        root / "dead",
        {"course-1-dead": dead},
        name="dead",
        seeds=range(3),
        selection="last",
        n_validation=0,
        baselines={"majority": 0.1},
    )
    return root


@pytest.fixture(scope="module")
def document(studies):
    return json.loads(json.dumps(collect(studies), allow_nan=False))


def test_every_model_has_its_row_with_the_numbers_of_its_study(document):
    rows = {row["model"]: row for row in document["models"]}
    assert list(rows) == list(REPORTED)
    assert document["summary"]["agree"] == document["summary"]["trained"] == 19
    assert document["sealed"] == []
    row = rows["small-mlp"]
    per_seed = [round(2000 * share) / 2000 for share in fake_accuracies("small-mlp")]
    assert row["notebook"]["per_seed"] == pytest.approx(per_seed)
    assert row["notebook"]["mean"] == pytest.approx(np.mean(per_seed), abs=1e-6)
    half = 2.776445 * np.std(per_seed, ddof=1) * np.sqrt(1 + 1 / 5)  # t, 4 degrees of freedom
    assert row["notebook"]["prediction"] == pytest.approx(
        [np.mean(per_seed) - half, np.mean(per_seed) + half], abs=2e-6
    )
    assert rows["cnn"]["notebook"]["seeds"] == 3
    assert rows["fashion-cnn"]["honest"]["seeds"] == 2
    text = page(document)
    mean, low, high = (f"{100 * x:.2f}" for x in (row["notebook"]["mean"], *row["notebook"]["ci"]))
    assert f"| `small-mlp` | 92.73 | {mean} [{low}–{high}]" in text


def test_the_page_says_what_the_studies_say(document):
    text = page(document)
    assert "None: every reported accuracy is within 0.30 points of our mean" in text
    assert "16.12 × (1 − 0.0892) = 14.68, the reported loss to two decimals" in text
    assert "**serious**, `dead-run`: course-1-dead is dead in all 3 seeds" in text
    assert "the network predicts 5 for all images" in text
    slow = document["answers"]["slow"]["slow"]["mean"]
    assert f"learning rate 0.0001 gives\n**{100 * slow:.2f} %**" in text
    assert "| `model-3` | 97.58 % | 97.05 % |" in text
    assert "It puts `model-3` on the other side of `model-6` than the runs do; ours say:" in text
    assert "`cnn` is " not in text.split("## 001")[0]
    assert "Not run yet." in section(document, "choosing")
    for name in SECTIONS:
        assert section(document, name) in text


def test_the_words_about_model_8_follow_the_verdicts(tmp_path):
    said = {}
    for name, other in (("the best", 0.96), ("among the best", 0.9853), ("beaten", 0.999)):
        root = tmp_path / name.replace(" ", "-")
        changed = {
            model: FakeModel([0.95 + 0.0005 * k for k in range(5)])
            for model in declared(parts.named(["notebook-002"])[0])
            if model != "model-8"
        }
        changed["model-9"] = FakeModel([other + 0.0005 * k for k in range(-2, 3)])
        write_part(root, "notebook-002", **changed)
        found = collect(root)
        assert found["answers"]["separable"]["notebook-002"]["conclusion"] == name
        said[name] = section(found, "separable")
    assert "is better than each of the other" not in said["among the best"]
    assert "**`model-8` is the best of the nine**: it is shown to be better" in said["the best"]
    assert "**That `model-8` is the best is not shown.**" in said["among the best"]
    assert "not separated from `model-9`" in said["among the best"]
    assert "**`model-8` is not the best**: `model-9` is shown to be better." in said["beaten"]


def test_the_words_about_our_own_network_follow_the_verdicts(document, tmp_path):
    reaching = {"mnist-best": False, "mnist-mlp-best": True, "fashion-best": True}
    for name, reached in reaching.items():
        found = document["answers"]["best"][name]
        assert found["beats_all"] and found["reached"] is reached
        assert len(found["sentences"]) == 2
    text = section(document, "best")
    assert text.count("**`compact-cnn` is better than each of the others.**") == 2
    assert text.count("**`compact-mlp` is better than each of the others.**") == 1
    assert "The aim was 99.70 %: its mean misses it" in text
    assert "The aim was 98.90 %: its mean reaches it" in text
    assert "The aim was 94.50 %: its mean reaches it" in text

    write_part(
        tmp_path, "mnist-best", **{"compact-cnn": FakeModel([0.99 + 0.001 * k for k in range(5)])}
    )
    found = collect(tmp_path)
    assert not found["answers"]["best"]["mnist-best"]["beats_all"]
    assert found["answers"]["best"]["fashion-best"] is None
    text = section(found, "best")
    assert "**That `compact-cnn` is better than each of the others is not shown.**" in text
    assert "its mean misses it" in text
    assert "fashion-best` (" not in text


def test_our_own_networks_are_small_and_stand_beside_the_documents_best():
    beside = {"mnist-best": ("001", "cnn", "002", "model-8")}
    beside["mnist-mlp-best"] = ("001", "dense-dropout", "002", "model-8")
    beside["fashion-best"] = ("003", "fashion-cnn", "003", "fashion-mlp")
    for challenge in CHALLENGES:
        recipe = recipes.load(challenge.recipe)
        ours = describe(recipe.models[challenge.model], (28, 28, 1), 10)
        assert ours.parameters < 500_000
        first, one, second, other = beside[challenge.recipe]
        assert set(recipe.models) == {challenge.model, one, other}
        assert recipe.models[one] == recipes.load(f"honest-{first}").models[one]
        assert recipe.models[other] == recipes.load(f"honest-{second}").models[other]
        assert recipe.selection == "best-loss"


def test_our_own_mlp_is_fully_connected_and_unaugmented():
    ours = recipes.load("mnist-mlp-best").models["compact-mlp"]
    kinds = {layer.kind for layer in ours.layers}
    assert kinds == {"flatten", "gaussian_noise", "dense", "batch_normalization", "activation"}


def test_a_model_outside_is_named(tmp_path):
    far = FakeModel([0.9 + 0.0001 * k for k in range(5)])
    write_part(tmp_path, "notebook-000", **{"tuned-mlp": far})
    found = collect(tmp_path)
    assert found["summary"]["outside"] == ["tuned-mlp"]
    assert "tuned-mlp` (000): reported 98.11 %, ours 90.0" in section(found, "outside")
    assert "points below the document" in section(found, "outside")
    assert "| **no** |" in section(found, "models")


def test_what_is_sealed_is_named_and_the_rest_is_there(tmp_path):
    write_part(tmp_path, "notebook-001-mlp")
    found = collect(tmp_path)
    assert "notebook-001-cnn" in found["sealed"]
    assert found["summary"]["trained"] == 2
    text = page(found)
    assert "**Not all of it is here yet.** Still sealed: `notebook-000`, `honest-000`" in text
    assert "| 001 | `cnn` | 99.17 | – | – | – | – | – | – | – |" in text


def plain_study(name, *, classes, findings=(), pair=("T-shirt/top", "Shirt")):
    scores = {
        key: {"mean": mean, "ci": [mean - 0.01, mean + 0.01]} for key, mean in classes.items()
    }
    return {
        "models": [
            {
                "name": name,
                "classes": scores,
                "pair_confusions": [{"classes": list(pair), "share": 0.25}],
                "selected_epochs": [6, 7],
                "epochs": 15,
            }
        ],
        "findings": [{"model": name, "code": code, "text": f"Says {code}."} for code in findings],
    }


def test_what_the_authors_saw_is_set_beside_the_findings(document):
    classes = {"1": 0.99, "4": 0.975, "5": 0.955, "8": 0.96}  # their mean is 0.97
    studies = {
        "notebook-001": plain_study("dense", classes=classes, findings=["weak-classes"]),
        "honest-001": plain_study("dense", classes=classes, findings=["over-fitting", "dead-run"]),
        "notebook-003": plain_study("fashion-mlp", classes=classes, pair=("Coat", "Shirt")),
    }
    seen = answers.seen(studies)
    assert seen["dense"]["below"] == ["5"]  # 8's interval reaches the average
    assert [each["below"] for each in seen["dense"]["said"]] == [False, True, False]
    text = section({**document, "answers": {**document["answers"], "seen": seen}}, "seen")
    assert "The findings say the same (`honest-001`): Says over-fitting." in text
    assert "Classes whose whole interval lies below the average: 5." in text
    assert "The findings: Says weak-classes." in text
    assert "`fashion-mlp`: Coat and Shirt lead with 25 % of the errors, another pair" in text

    studies["honest-001"]["findings"] = []
    seen = answers.seen(studies)
    text = section({**document, "answers": {**document["answers"], "seen": seen}}, "seen")
    assert "has not risen by 5 %. It was lowest after epochs 6, 7." in text
    nothing = {**document, "answers": {**document["answers"], "seen": answers.seen({})}}
    assert section(nothing, "seen").count("Not opened yet.") == 3


def test_what_an_earlier_run_found_is_kept_and_named(document, tmp_path):
    write_part(tmp_path, "notebook-001-mlp")
    found = collect(tmp_path, kept=document)
    assert "notebook-001" not in found["kept"] and "notebook-002" in found["kept"]
    assert found["studies"]["notebook-002"] == document["studies"]["notebook-002"]
    assert found["sealed"] == ["notebook-001-cnn"]
    rows = {row["model"]: row for row in found["models"]}
    assert rows["model-8"] == next(r for r in document["models"] if r["model"] == "model-8")
    assert rows["cnn"]["notebook"] is None
    text = page(found)
    assert "Kept from an earlier run of the same command" in text and "`notebook-002`" in text
    assert "Kept from" not in page(document)


def test_writing_without_studies_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(parts, "ROOT", tmp_path)
    monkeypatch.setattr("reproduction.collect.collect", lambda kept: {"studies": {}})
    assert main(["write"]) == 2
    assert capsys.readouterr().err == (
        f"reproduction: expected opened studies in {tmp_path}, found none: "
        "run `make reproduce` first\n"
    )


def test_relations_turn_with_the_side():
    study = {
        "comparisons": [
            {"a": "x", "b": "y", "verdict": "better", "sentence": "x beats y"},
            {"a": "y", "b": "z", "verdict": "not separated", "sentence": "y, z"},
        ]
    }
    assert answers.relations(study, "y")["worse"] == [{"other": "x", "sentence": "x beats y"}]
    assert answers.relations(study, "x")["better"] == [{"other": "y", "sentence": "x beats y"}]
    assert answers.relations(study, "z")["not separated"] == [{"other": "y", "sentence": "y, z"}]


# ── choosing on the test images ──────────────────────────────────────────────────────────────


def first_of(seeds):
    return {"by_validation": [np.zeros(seeds, int)], "by_loss": [np.zeros(seeds, int)]}


def test_a_single_candidate_is_not_too_high(rng):
    found = bought([rng.random((3, 1, 1000)) < 0.9], first_of(3), halves=20)
    assert found.optimism.mean == pytest.approx(0, abs=1e-12)  # halves change places
    assert found.gain.mean == found.gain.low == found.gain.high == 0


def test_among_equal_candidates_the_figure_is_too_high_by_what_chance_gives(rng):
    # The expected largest of 50 standard normal numbers is 2.2491; a half of 1,000 images has a
    # standard deviation of sqrt(0.9 · 0.1 / 1000), and the other half knows nothing of it.
    found = bought([rng.random((20, 50, 2000)) < 0.9], first_of(20), halves=40)
    expected = 2.2491 * np.sqrt(0.9 * 0.1 / 1000)
    assert found.optimism.low < expected < found.optimism.high
    assert found.optimism.mean == pytest.approx(expected, rel=0.1)
    assert found.gain.low < 0 < found.gain.high
    assert found.optimism.spread[0] < found.optimism.low


def test_a_better_candidate_is_found_and_worth_it(rng):
    right = rng.random((4, 2, 4000)) < np.array([0.90, 0.95])[None, :, None]
    found = bought([right], first_of(4), halves=20)
    assert found.gain.mean == pytest.approx(0.05, abs=0.01)
    assert found.gain.low > 0.03


def test_fewer_images_that_choose_flatter_more(rng):
    right = [rng.random((3, 30, 4000)) < 0.9]
    small, large = (bought(right, first_of(3), share=s, halves=30) for s in (0.125, 0.5))
    assert small.optimism.mean > 1.5 * large.optimism.mean


def test_the_experiment_watches_what_the_engine_trains(tmp_path):
    choice = unsealed.Choice("digits", "digits", ("small-mlp",), seeds=1, epochs=2)
    unsealed._run_choice(choice, [("small-mlp", 0)], tmp_path, Watcher())
    watched = unsealed.read(choice, root=tmp_path)["small-mlp"][0]
    assert watched.test.shape == (2, 360)
    assert unsealed.read(unsealed.Choice("x", "digits", ("mlp",), 1), root=tmp_path) is None

    from bakeoff.study import create
    from bakeoff.training.trainer import Development, Trainer

    recipe = choice.declared()
    data, split = create.load_split(recipe)

    def train(rows):
        development = Development(
            *(data.images[split.train], data.labels[split.train]),
            *(data.images[rows], data.labels[rows]),
            *(data.maximum, data.n_classes),
        )
        trainer = Trainer(recipe.models["small-mlp"], development, seed=0, selection="best-loss")
        return [trainer.epoch() for _ in range(2)]

    honest = train(split.validation)
    assert watched.accuracy == pytest.approx([each.val_accuracy for each in honest])
    assert watched.cross_entropy == pytest.approx([e.val_cross_entropy for e in honest], rel=1e-5)
    test = [each.val_accuracy for each in train(split.test)]
    assert watched.test.mean(axis=1) == pytest.approx(test)


def test_the_experiment_refuses_unknown_models(tmp_path):
    with pytest.raises(StudyError) as raised:
        unsealed.run(only=["cnn"], root=tmp_path, watcher=Watcher())
    assert str(raised.value) == (
        "expected a model of the experiment (dense, dense-dropout, course-1, course-2, course-3), "
        "found 'cnn'"
    )


def test_prediction_interval_by_hand_and_clipped():
    # mean 0.5, sd 0.1, t of 2 degrees of freedom 4.3027, √(1 + 1/3)
    low, high = prediction_interval([0.4, 0.5, 0.6])
    assert (low, high) == pytest.approx((0.5 - 0.49683, 0.5 + 0.49683), abs=1e-4)
    assert prediction_interval([0.9, 0.99, 0.95])[1] == 1
    assert prediction_interval([0.9, 1.5, 0.95], binary=False)[1] > 1
    with pytest.raises(ValueError, match=r"^expected the scores of at least 2 seeds, got shape "):
        prediction_interval([0.9])


def test_prediction_intervals_hold_95_of_100_new_runs():
    rng = np.random.default_rng(5)
    runs = rng.normal(0.5, 0.05, size=(2000, 6))
    inside = [low <= run[5] <= high for run in runs for low, high in [prediction_interval(run[:5])]]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)
