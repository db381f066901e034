"""Figures against the numbers they draw, and their SVG against what a strict page allows.

Oracle: the fake study's exact accuracies; hand-made points and histories. Cost: 8 s.
Run: .venv/bin/pytest tests/report/test_plots.py
"""

import json
import re
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from bakeoff.analysis.class_mistakes import worst_classes
from bakeoff.analysis.class_scores import class_scores
from bakeoff.analysis.compare import compare
from bakeoff.analysis.epoch_curves import is_constant, regularized
from bakeoff.analysis.preference import frontier
from bakeoff.errors import UsageError
from bakeoff.report import plots
from bakeoff.report.plots import curves, matrices
from bakeoff.report.plots.costs import accuracy_against_time
from bakeoff.report.plots.curves import _epochs
from bakeoff.report.plots.dots import spread
from bakeoff.report.plots.figure import PALETTE, log_ticks
from bakeoff.report.plots.matrices import seen_from
from bakeoff.report.words.short_names import short_labels
from tests.helpers import fake_study

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    models = {
        "cnn": fake_study.FakeModel(accuracy=(0.95, 0.96, 0.97), parameters=30_000),
        "mlp": fake_study.FakeModel(accuracy=(0.9, 0.91, 0.89), parameters=10_000),
        "big": fake_study.FakeModel(accuracy=(0.9, 0.9, 0.91), parameters=90_000, seconds=80.0),
    }
    folder = fake_study.write_study(
        tmp_path_factory.mktemp("figures") / "study", models, seeds=SEEDS
    )
    return compare([folder])


def every_figure(comparison):
    yield "dots", plots.accuracy_dots(comparison)
    yield "parameters", plots.accuracy_against_parameters(comparison)
    yield "variance", plots.variance(comparison)
    yield "verdicts", plots.verdict_matrix(comparison)
    yield "counts", plots.class_counts(comparison)
    yield "all losses", plots.all_curves(comparison, show="loss")
    if any(model.seconds_per_trial for model in comparison.models):
        yield "time", plots.accuracy_against_time(comparison)
    model = comparison.models[0].name
    yield "all accuracies", plots.all_curves(comparison)
    yield "curves", plots.learning_curves(comparison, model)
    yield "rate", plots.learning_rate(comparison, model)
    yield "confusion", plots.confusion(comparison, model)
    yield "mistakes", plots.confusion(comparison, model, diagonal=False, rates=True)
    yield "classes", plots.per_class(comparison, model)
    yield "calibration", plots.calibration(comparison, model)
    yield "roc", plots.roc_curves(comparison, model)
    yield "precision", plots.precision_recall_curves(comparison, model)


def rows(figure):
    """Return every row of data that a figure draws, layer by layer, top level first."""

    def walk(part):
        if "data" in part:
            yield part["data"]["values"]
        for key in ("layer", "hconcat"):
            for each in part.get(key, ()):
                yield from walk(each)

    return list(walk(figure.spec))


def texts(figure):
    return re.findall(r"<text[^>]*>([^<]*)</text>", figure.element())


def test_accuracy_dots_show_every_seed_interval_mean_letter_and_baseline(study):
    figure = plots.accuracy_dots(study)
    lines, dots, away = rows(figure)[0], rows(figure)[1], rows(figure)[-1]
    for model in study.models:
        own = [row for row in dots if row["tip"].startswith(f"{model.name} ·")]
        assert [row["value"] for row in own] == pytest.approx(list(model.accuracy.per_seed))
        (line,) = [row for row in lines if row["row"].startswith(model.name)]
        assert line["mean"] == pytest.approx(model.accuracy.mean, abs=1e-5)
        assert line["high"] == pytest.approx(model.accuracy.estimate.high, abs=1e-5)
        assert line["row"] == f"{model.name}  ({model.group})"
    assert [row["row"] for row in away] == ["majority class", "logistic regression"]  # far below
    assert [row["text"] for row in away] == ["◂ 10.00 %", "◂ 60.00 %"]
    near = replace(
        study,
        baselines=tuple(
            replace(b, accuracy=replace(b.accuracy, mean=0.89, low=0.87, high=0.9))
            for b in study.baselines
        ),
    )
    assert rows(plots.accuracy_dots(near))[-1] == []
    assert {"majority class", "logistic regression"} <= set(texts(plots.accuracy_dots(near)))


def test_baselines_of_several_studies_have_a_row_each(study):
    """Their shortened names were alike, and one's row lay over the other's."""
    names = [f"fashion-mnist-{size}-cnn/logistic" for size in ("small", "large")]
    beside = [replace(study.baselines[0], name=name) for name in names]
    *_, away = rows(plots.accuracy_dots(replace(study, baselines=tuple(beside))))
    assert len({row["row"] for row in away}) == 2


def domains(spec):
    """Yield every domain of two numbers in a figure."""
    if isinstance(spec, dict):
        domain = spec.get("domain")
        if isinstance(domain, list) and len(domain) == 2 and not isinstance(domain[0], str):
            yield domain
        for value in spec.values():
            yield from domains(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from domains(value)


def test_a_figure_is_saved_under_a_name(study):
    with pytest.raises(UsageError, match=r"^expected the name of a file, found 3$"):
        plots.accuracy_dots(study).save(3)


def test_a_baseline_above_all_models_is_in_the_picture(study):
    """Its mark floated beside the axis, in the very studies that it decides."""
    above = tuple(
        replace(b, accuracy=replace(b.accuracy, mean=0.99, low=0.98, high=0.995))
        for b in study.baselines
    )
    figure = plots.accuracy_dots(replace(study, baselines=above))
    assert max(high for low, high in domains(figure.spec) if low > 0.5) >= 0.995


def test_the_best_seeds_of_curves_are_in_the_picture():
    """Axes ended at the means, and hid the seeds beyond them."""
    line = [{"epoch": k, "value": 0.9, "low": 0.8, "high": 0.96} for k in range(3)]
    selected = [{"epoch": 1, "value": 0.97}]
    scale, _ = curves._scale([*line, *selected], "accuracy", all_rows=False)
    assert scale["domain"][1] >= 0.97
    scale, _ = curves._scale(line, "loss", all_rows=False)
    assert scale["domain"][0] <= 0.8


def test_learning_curves_are_means_with_the_range_of_the_seeds(study):
    drawn = rows(plots.learning_curves(study, "cnn"))
    histories = study.model("cnn").histories
    for lines, dots, (train, held_out) in (
        (drawn[0], drawn[2], ("loss", "val_loss")),
        (drawn[3], drawn[5], ("accuracy", "val_accuracy")),
    ):
        for part, column in (("training", train), ("validation", held_out)):
            table = np.array([history[column] for history in histories])
            own = [row for row in lines if row["series"] == part]
            for key, expected in (
                ("value", table.mean(axis=0)),
                ("low", table.min(axis=0)),
                ("high", table.max(axis=0)),
            ):
                np.testing.assert_allclose([row[key] for row in own], expected, rtol=1e-5)
        assert tuple(row["epoch"] for row in dots) == study.model("cnn").selected_epochs
    assert len(plots.learning_curves(study, "cnn", show=("loss",)).spec["layer"]) == 3


def test_all_models_stand_in_one_picture_in_the_same_colours(study):
    figure = plots.all_curves(study)
    lines = rows(figure)[0]
    for model in study.models:
        mean = np.mean([history["val_accuracy"] for history in model.histories], axis=0)
        own = [row["value"] for row in lines if row["name"] == model.name]
        np.testing.assert_allclose(own, mean, rtol=1e-5)
    assert {model.name for model in study.models} <= set(texts(figure))
    assert figure.spec["title"] == "Validation accuracy"


def test_curves_of_training_images_are_called_so(study, unvalidated):
    """Without a validation part the picture of training accuracies was "Validation accuracy"."""
    figure = plots.all_curves(unvalidated)
    np.testing.assert_allclose(
        rows(figure)[0][0]["value"],
        np.mean([history["accuracy"][0] for history in study.models[0].histories]),
        rtol=1e-5,
    )
    assert (figure.spec["title"], figure.alt[:18]) == ("Training accuracy", "Training accuracy ")
    assert plots.all_curves(unvalidated, show="loss").spec["title"] == "Training loss"
    first = unvalidated.models[0]
    some = replace(study, models=(first, *study.models[1:]))
    assert plots.all_curves(some, show="loss").spec["title"] == (
        f"Validation loss (cross-entropy); of {first.name}, training loss"
    )


def test_learning_rate_and_regularization_are_told_from_the_histories(study):
    cnn = study.model("cnn")
    assert is_constant(cnn)
    assert not regularized(cnn)
    changed = tuple(
        {
            **history,
            "learning_rate": 0.001 * np.exp(-0.5 * history["epoch"]),
            "val_loss": history["val_cross_entropy"] + 0.2,
        }
        for history in cnn.histories
    )
    other = replace(cnn, histories=changed)
    assert not is_constant(other)
    assert regularized(other)
    comparison = replace(study, models=(other,))
    figure = plots.learning_rate(comparison)
    rates = [row["rate"] for row in rows(figure)[0]]
    np.testing.assert_allclose(rates, changed[0]["learning_rate"], rtol=1e-5)
    assert figure.spec["encoding"]["y"]["scale"]["type"] == "log"
    assert "without regularization" in texts(plots.learning_curves(comparison))


def test_confusion_draws_counts_or_rates_with_or_without_the_diagonal(study):
    matrix = study.model("mlp").confusion
    shown = {(r["truth"], r["predicted"]): r for r in rows(plots.confusion(study, "mlp"))[0]}
    assert len(shown) == (matrix > 0).sum()
    assert float(shown["3", "3"]["text"].replace(",", "")) == round(matrix[3, 3])
    rates = 100 * matrix / matrix.sum(axis=1, keepdims=True)
    figure = plots.confusion(study, "mlp", diagonal=False, rates=True)
    shown = {(r["truth"], r["predicted"]): r for r in rows(figure)[0]}
    assert ("3", "3") not in shown
    (i, j) = np.unravel_index((rates - np.diag(np.diag(rates))).argmax(), rates.shape)
    assert shown[str(i), str(j)]["share"] == 1
    assert shown[str(i), str(j)]["text"] == f"{rates[i, j]:.1f}"


def test_a_verdict_is_reversed_with_the_side_it_is_seen_from(study):
    pair = next(pair for pair in study.pairs if pair.verdict == "better")
    assert seen_from(pair, pair.a) == ("better", pair.test.difference)
    assert seen_from(pair, pair.b) == ("worse", -pair.test.difference)
    shown = texts(plots.verdict_matrix(study))
    assert sum(text.startswith("▲") for text in shown) == 2
    assert sum(text.startswith("▼") for text in shown) == 2
    assert not any("-" in text for text in shown)  # a true minus: −


def test_in_the_small_squares_of_many_classes_percents_are_whole(study):
    n = 20
    matrix = np.full((n, n), 0.5) + np.diag(np.full(n, 4.0))
    labels = np.repeat(np.arange(n), 14)
    model = replace(study.models[0], confusion=matrix)
    names = tuple(f"class {k}" for k in range(n))
    many = replace(study, models=(model,), labels=labels, class_names=names)
    shown = rows(plots.confusion(many, model.name, rates=True))[0]
    drawn = {row["text"] for row in shown}
    assert drawn == {"3.6", "32"}  # at 18 pixels a square, "32.1" runs into its neighbour


def test_a_matrix_of_verdicts_needs_two_models(study):
    with pytest.raises(UsageError) as caught:
        plots.verdict_matrix(replace(study, models=study.models[:1], pairs=()))
    assert str(caught.value) == (
        "expected at least two models, between which there are verdicts, found one"
    )


def test_of_many_models_the_matrix_shows_the_best(study, monkeypatch):
    monkeypatch.setattr(matrices, "MOST_MODELS", 2)
    best, second = (model.name for model in study.models[:2])
    figure = plots.verdict_matrix(study)
    cells = {(row["row"], row["column"]) for row in rows(figure)[0]}
    assert cells == {(best, second), (second, best)}
    verdict = next(p.verdict for p in study.pairs if (p.a, p.b) == (best, second))
    assert figure.alt == (
        "Each row’s model against each column’s, the best 2 of 3: "
        f"{best} {verdict or 'no verdict'} {second}."
    )


def test_accuracy_against_the_time_of_an_image_in_a_batch(study):
    models = [replace(model, batch_prediction_seconds=5e-5) for model in study.models]
    drawn = accuracy_against_time(replace(study, models=models), kind="batch prediction")
    assert drawn.alt.startswith("Test accuracy against seconds of predicting one image in a batch:")
    assert f"{models[0].name}, 0.05 ms, accuracy" in drawn.alt


@pytest.mark.parametrize(
    ("draw", "curve", "area"),
    [
        (plots.roc_curves, "roc", "roc_area"),
        (plots.precision_recall_curves, "pr", "average_precision"),
    ],
)
def test_curves_of_classes_are_their_means_and_ranges(study, draw, curve, area):
    drawn = rows(draw(study, "mlp"))[0]
    for each in class_scores(study, "mlp"):
        band, name = getattr(each, curve), study.class_names[each.index]
        own = [row for row in drawn if row["tip"].startswith(f"{name} · ")]
        assert len(own) > 2
        for row in own:
            k = int(np.abs(band.x - row["x"]).argmin())
            found = [row["y"], row["low"], row["high"]]
            assert found == pytest.approx([band.mean[k], band.low[k], band.high[k]], abs=1e-5)
            assert f"area {getattr(each, area).mean:.4f} " in row["tip"]


@pytest.mark.parametrize("draw", [plots.roc_curves, plots.precision_recall_curves])
def test_long_class_names_leave_the_curves_their_room(study, draw):
    """Ten names in one column took 130 of 186 pixels, and left 25 of them to the curves."""
    long = tuple(f"american pit bull terrier {k}" for k in range(10))
    low, high = (draw(each, study.models[0].name, height=186) for each in (
        replace(study, class_names=tuple("0123456789")), replace(study, class_names=long),
    ))  # fmt: skip
    assert low.spec["height"] == 186 + 32
    assert high.spec["height"] == 186 + 32 + 13 * 6


def test_accuracy_against_parameters_and_time_draw_every_model(study):
    for figure, cost in (
        (plots.accuracy_against_parameters(study), lambda m: m.parameters),
        (plots.accuracy_against_time(study), lambda m: m.seconds_per_trial),
    ):
        assert {"cnn", "mlp", "big"} <= set(texts(figure))
        edge, bars, points = rows(figure)
        drawn = {row["tip"].split(" · ")[0]: row for row in points}
        assert bars == points and drawn.keys() == {"cnn", "mlp", "big"}
        for m in study.models:
            found = [drawn[m.name][key] for key in ("cost", "mean", "low", "high")]
            e = m.accuracy.estimate
            assert found == pytest.approx([cost(m), e.mean, e.low, e.high], rel=1e-4)
        known = [(m.name, cost(m), m.accuracy.mean) for m in study.models]
        assert [row["tip"].split(" · ")[0] for row in edge] == frontier(known)
    bare = replace(study, models=tuple(replace(m, seconds_per_trial=None) for m in study.models))
    message = "expected times of training, found none: the study did not record them"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        plots.accuracy_against_time(bare)


def test_variance_shares_are_of_images_seeds_and_both_and_one_seed_has_none(study):
    def with_parts(**parts):
        model = study.models[0]
        estimate = replace(model.accuracy.estimate, **parts)
        return replace(model, accuracy=replace(model.accuracy, estimate=estimate))

    three = with_parts(image_variance=5.0, seed_variance=3.0, noise_variance=2.0)
    assert three.accuracy.estimate.shares == pytest.approx((0.5, 0.3, 0.2))
    (drawn,) = rows(plots.variance(replace(study, models=(three,))))
    assert {row["source"]: row["share"] for row in drawn} == pytest.approx(
        {"test images": 0.5, "seeds": 0.3, "both together": 0.2}
    )
    single = with_parts(seed_variance=None, noise_variance=None)
    assert single.accuracy.estimate.shares is None
    assert rows(plots.variance(replace(study, models=(single,)))) == [[]]


def test_the_worst_classes_come_first(study):
    model = study.model("mlp")
    worst = worst_classes(model, 3)
    means = [score.mean for _, score in worst]
    assert means == sorted(score.mean for score in model.per_class_accuracy)[:3]
    assert len(rows(plots.per_class(study, "mlp"))[0]) == 10
    without = replace(model, per_class_accuracy=(None, *model.per_class_accuracy[1:]))
    assert 0 not in [k for k, _ in worst_classes(without, 10)]


def test_calibration_pools_the_seeds(study):
    seen = rows(plots.calibration(study, "cnn"))[1]
    curves = study.model("cnn").calibration
    counts = np.sum([each.counts for each in curves], axis=0)
    hits = np.sum([each.counts * np.nan_to_num(each.accuracy) for each in curves], axis=0)
    enough = counts >= 30
    expected = hits[enough] / counts[enough]
    np.testing.assert_allclose([row["correct"] for row in seen], expected, rtol=1e-5)


def test_class_counts_are_the_splits(study):
    drawn = rows(plots.class_counts(study))[0]
    test = {row["class"]: row["images"] for row in drawn if row["part"] == "test"}
    assert test == {
        name: int((study.labels == k).sum()) for k, name in enumerate(study.class_names)
    }
    folds = replace(study, data={**study.data, "folds": 5})
    assert {row["part"] for row in rows(plots.class_counts(folds))[0]} == {
        "all, each tested in turn"
    }
    many = replace(study, class_names=tuple(f"class {k}" for k in range(30)))
    assert len({row["class"] for row in rows(plots.class_counts(many))[0]}) == 20
    said = "the 10 largest and the 10 smallest of"
    assert plots.class_counts(many).alt.startswith(f"Images of {said}")
    assert [plots.classes_counted(each)[:37] for each in (study, many)] == ["each class", said]


def test_an_unknown_model_is_named(study):
    message = "expected a model of this comparison (cnn, mlp, big), found rnn"
    message = message.replace("cnn, mlp, big", ", ".join(m.name for m in study.models))
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        plots.learning_curves(study, "rnn")
    assert plots.learning_curves(replace(study, models=study.models[:1]))


def test_an_unknown_choice_is_no_silent_default(study):
    with pytest.raises(UsageError, match=r"^show: expected loss or accuracy, found 'lost'$"):
        plots.all_curves(study, show="lost")
    message = "kind: expected training, prediction or batch prediction, found 'test'"
    with pytest.raises(UsageError, match=f"^{message}$"):
        plots.accuracy_against_time(study, kind="test")


def test_spread_gives_every_dot_its_own_offset():
    assert spread(1, width=0.4).tolist() == [0]
    for count in range(2, 40):
        offsets = spread(count, width=0.4)
        assert len(set(offsets.tolist())) == count
        assert abs(offsets).max() == pytest.approx(0.2)


def test_logarithmic_ticks_are_round():
    assert log_ticks(0.03, 2.2) == [0.05, 0.1, 0.2, 0.5, 1.0, 2.0]
    assert log_ticks(100, 1_000_000) == [100.0, 1000.0, 10_000.0, 100_000.0, 1_000_000.0]
    assert log_ticks(0, 1) == []


# ── SVG, notebooks and files ─────────────────────────────────────────────────────────────────


def test_coordinates_are_rounded_and_words_are_not(study):
    """In the page all learning rates were 0.00, and models called lr0.001 and lr0.0005 lr0.00."""
    models = (replace(study.models[0], name="lr0.0005"), *study.models[1:])
    classes = tuple(f"v1.000{k}" for k in range(10))
    figures = dict(every_figure(replace(study, class_names=classes)))
    figures["dots"] = plots.accuracy_dots(replace(study, models=models))
    said = set()
    for name, figure in figures.items():
        svg, element = figure.svg(), figure.element()
        words = re.findall(r">([^<]+)</text>", element)
        assert words == re.findall(r">([^<]+)</text>", svg), name
        tips = set(re.findall(r'data-tip="([^"]+)"', element))
        assert tips <= set(re.findall(r'aria-label="([^"]+)"', svg)), name
        assert not re.search(r'd="[^"]*\.\d{3}', element), name
        said |= {*words, *tips}
    assert {"lr0.0005  (a)", "v1.0003", "epoch 1 · learning rate 0.001"} <= said


def test_every_figure_becomes_svg_that_a_strict_page_allows(study):
    colors = {light for light, _ in PALETTE.values()} | {"#ffffff", "#000000"}
    marks = set()
    for name, figure in every_figure(study):
        text = replace(figure, alt=f'"{name}" <&>').element()
        root = ElementTree.fromstring(text)
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"] == f'"{name}" <&>'
        assert not re.search(r"http|xmlns|xlink|style=|DOCTYPE|metadata|<!--", text), name
        ids = re.findall(r' id="([^"]+)"', text)
        assert set(re.findall(r"#(f[0-9a-f]{8}-\d+)", text)) == set(ids), name
        assert not marks & set(ids), name
        marks |= set(ids)
        assert set(re.findall(r"#[0-9a-f]{6}\b", text)) <= colors, name
        assert "rgb(" not in text, name
        assert "data-tip" in text, name
        assert len(text) < 90_000, name


@pytest.mark.usefixtures("drawn_anew")
def test_svg_is_the_same_every_time(study):
    for draw in (plots.roc_curves, plots.learning_rate, plots.calibration):
        assert draw(study, "cnn").element() == draw(study, "cnn").element()


def test_a_figure_shows_itself_and_is_saved_as_four_kinds_of_file(study, tmp_path):
    figure = plots.accuracy_dots(study)
    bundle = figure._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["application/vnd.vegalite.v5+json"] == figure.spec
    assert bundle["text/plain"].startswith("<Figure: Test accuracy with 95 % intervals: cnn 96.00")
    many = replace(figure, alt="one and another " * 999)
    assert len(repr(many)) < 320 and repr(many).endswith("another one and …>")
    starts = {".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF", ".json": b"{"}
    for ending, start in starts.items():
        figure.save(tmp_path / f"dots{ending}")
        assert (tmp_path / f"dots{ending}").read_bytes().startswith(start)
    assert json.loads((tmp_path / "dots.json").read_text()) == figure.spec
    message = "expected a file name that ends in .svg, .png, .pdf or .json, found dots.bmp"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        figure.save(tmp_path / "dots.bmp")


@pytest.mark.usefixtures("drawn_anew")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_where_addresses_are_limited_a_figure_says_so_in_words(study, monkeypatch):
    """The engine that draws would end the process; batch systems set such limits."""
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda which: (8 * 2**30, 8 * 2**30))
    figure = plots.accuracy_dots(study)
    message = (
        "expected room to reserve 128 GiB of addresses to draw, found a limit of 8 GiB: raise "
        "it (ulimit -v unlimited)"
    )
    for draw in (figure.svg, figure.png):
        with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
            draw()
    assert figure.element() == f'<p class="note">{figure.alt} (No picture: {message}.)</p>'


def test_class_names_are_shown_as_they_are(study):
    names = ("$\\frac{", "a$b$c", "<b>", "&amp;", "鞋", *study.class_names[5:])
    odd = replace(study, class_names=names)
    shown = texts(plots.confusion(odd, "mlp"))
    assert {"$\\frac{", "a$b$c", "&lt;b&gt;", "&amp;amp;"} <= set(shown)
    assert "鞋" in texts(plots.per_class(odd, "mlp"))
    same = replace(study, class_names=("x" * 40,) * 10)  # alike once they are shortened
    assert len(rows(plots.per_class(same, "mlp"))[0]) == 10


def test_classes_with_long_names_are_told_apart_in_the_same_words_in_every_figure(study):
    kinds = [f"Species number {k:02d} (subspecies {'ab'[k % 2]})" for k in range(10)]
    odd = replace(study, class_names=tuple(kinds))
    labels = short_labels(kinds, most=18)
    assert set(labels) <= set(texts(plots.per_class(odd, "mlp")))
    assert set(labels) <= set(texts(plots.class_counts(odd)))
    assert set(short_labels(kinds)) <= set(texts(plots.roc_curves(odd, "mlp")))


@pytest.mark.parametrize("n_validation", [0, 500])
def test_mishaps_can_be_drawn(tmp_path, n_validation):
    """No validation part; a seed that diverged at once; one seed; one class never seen."""
    models = {
        "ill": fake_study.FakeModel(diverged={0: 0, 1: 4}, seconds=None),
        "well": fake_study.FakeModel(accuracy=1.0, parameters=500, epochs=1, seconds=None),
    }
    folder = fake_study.write_study(
        tmp_path / "study",
        models,
        seeds=(0, 1),
        n_validation=n_validation,
        selection="best-loss" if n_validation else "last",
        labels=np.arange(200) % 9,
    )
    comparison = compare([folder])
    for _, figure in every_figure(comparison):
        assert figure.element().startswith("<svg")


def test_importing_figures_and_report_loads_nothing_heavy():
    names = ("vl_convert", "jinja2", "rich", "keras", "jax", "matplotlib")
    code = (
        "import sys, bakeoff.report.plots, bakeoff.report; "
        f"print([n for n in {names} if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_epochs_are_whole_numbers():
    for last, step in ((0, 1), (3, 1), (5, 1), (6, 2), (49, 10), (99, 20), (4999, 1000)):
        assert _epochs(last)["axis"]["values"] == list(range(0, last + 1, step))
