"""Figures against the numbers they draw, and the SVG against what a strict page allows.

Oracle: the fake study's exact accuracies; hand-made points and histories. Cost: 6 s.
Run: .venv/bin/pytest tests/report/test_plots.py
"""

import re
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from bakeoff.analysis.compare import compare
from bakeoff.errors import UsageError
from bakeoff.report import plots
from bakeoff.report.plots.curves import curve, is_constant, penalised
from bakeoff.report.plots.matrices import mistakes, row_rates, seen_from
from bakeoff.report.plots.scores import frontier, variance_shares, worst_classes
from bakeoff.report.plots.style import PALETTE, spread
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
    if any(model.seconds_per_trial for model in comparison.models):
        yield "time", plots.accuracy_against_time(comparison)
    for model in comparison.models:
        yield f"curves {model.name}", plots.learning_curves(comparison, model.name)
        yield f"rate {model.name}", plots.learning_rate(comparison, model.name)
        yield f"confusion {model.name}", plots.confusion(comparison, model.name)
        yield (
            f"mistakes {model.name}",
            plots.confusion(comparison, model.name, diagonal=False, rates=True),
        )
        yield f"classes {model.name}", plots.per_class(comparison, model.name)
        yield f"calibration {model.name}", plots.calibration(comparison, model.name)


def texts(figure):
    return re.findall(r"<text[^>]*>([^<]*)</text>", plots.svg(figure, alt="x"))


def dots(axes):
    """The data of the lines drawn with round markers only."""
    return [line for line in axes.lines if line.get_marker() == "o" and line.get_ls() == "None"]


def test_accuracy_dots_show_every_seed_interval_mean_and_letter(study):
    (axes,) = plots.accuracy_dots(study).axes
    drawn = [sorted(line.get_xdata()) for line in dots(axes)]
    assert drawn == [sorted(model.accuracy.per_seed) for model in study.models]
    bars = [line.get_xdata() for line in axes.lines if line.get_linewidth() == 2.2]
    expected = [(m.accuracy.estimate.low, m.accuracy.estimate.high) for m in study.models]
    np.testing.assert_allclose(bars, expected)
    shown = texts(axes.figure)
    assert [model.name in shown for model in study.models] == [True] * 3
    assert [shown.count(letter) for letter in "ab"] == [1, 2]


def test_learning_curves_are_means_with_the_range_of_the_seeds(study):
    figure = plots.learning_curves(study, "cnn")
    assert len(figure.axes) == 2
    histories = study.model("cnn").histories
    for axes, columns in zip(
        figure.axes, (("loss", "val_loss"), ("accuracy", "val_accuracy")), strict=True
    ):
        for line, column in zip(axes.lines, columns, strict=False):
            mean = np.mean([history[column] for history in histories], axis=0)
            np.testing.assert_allclose(line.get_ydata(), mean)
        assert len(axes.collections) == 2  # the bands
        (selected,) = dots(axes)
        assert tuple(selected.get_xdata()) == study.model("cnn").selected_epochs
    assert len(plots.learning_curves(study, "cnn", show=("loss",)).axes) == 1


def test_curves_leave_out_what_is_not_finite_and_end_where_a_seed_ended():
    histories = (
        {"epoch": np.arange(3.0), "loss": np.array([3.0, 2.0, 1.0])},
        {"epoch": np.arange(2.0), "loss": np.array([5.0, np.nan])},
    )
    line = curve(histories, "loss")
    assert line.epochs.tolist() == [0, 1, 2]
    assert (line.mean.tolist(), line.low.tolist(), line.high.tolist()) == (
        [4, 2, 1],
        [3, 2, 1],
        [5, 2, 1],
    )
    empty = ({"epoch": np.arange(2.0), "loss": np.array([np.nan, np.inf])},)
    assert curve(empty, "loss") is None
    assert curve((), "loss") is None


def test_learning_rate_and_penalties_are_told_from_the_histories(study):
    cnn = study.model("cnn")
    assert is_constant(cnn)
    assert not penalised(cnn)
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
    assert penalised(other)
    comparison = replace(study, models=(other,))
    (axes,) = plots.learning_rate(comparison).axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), changed[0]["learning_rate"])
    assert axes.get_yscale() == "log"
    assert "without penalty" in texts(plots.learning_curves(comparison))


def test_confusion_draws_counts_or_rates_with_or_without_the_diagonal(study):
    matrix = study.model("mlp").confusion
    image = plots.confusion(study, "mlp").axes[0].images[0]
    np.testing.assert_allclose(image.get_array(), matrix)
    image = plots.confusion(study, "mlp", diagonal=False, rates=True).axes[0].images[0]
    expected = 100 * matrix / matrix.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(image.get_array(), expected - np.diag(np.diag(expected)))


def test_mistakes_and_rates_by_hand():
    matrix = np.array([[8.0, 2.0, 0.0], [1.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
    assert mistakes(matrix) == [(1, 2, 3.0, 0.75), (0, 1, 2.0, 0.2), (1, 0, 1.0, 0.25)]
    assert row_rates(matrix).tolist() == [[0.8, 0.2, 0], [0.25, 0, 0.75], [0, 0, 0]]


def test_a_verdict_turns_around_with_the_side_it_is_seen_from(study):
    pair = next(pair for pair in study.pairs if pair.verdict == "better")
    assert seen_from(pair, pair.a) == ("better", pair.test.difference)
    assert seen_from(pair, pair.b) == ("worse", -pair.test.difference)
    shown = texts(plots.verdict_matrix(study))
    assert sum(text.startswith("▲") for text in shown) == 2
    assert sum(text.startswith("▼") for text in shown) == 2
    assert not any("-" in text for text in shown)  # a true minus: −


def test_the_frontier_holds_what_nothing_cheaper_equals():
    points = [("a", 1.0, 0.5), ("b", 2.0, 0.5), ("c", 2.0, 0.7), ("d", 3.0, 0.6), ("e", 9.0, 0.8)]
    assert frontier(points) == ["a", "c", "e"]


def test_accuracy_against_parameters_and_time_name_every_model(study):
    for figure in (
        plots.accuracy_against_parameters(study),
        plots.accuracy_against_time(study),
    ):
        assert {"cnn", "mlp", "big"} <= set(texts(figure))
    bare = replace(study, models=tuple(replace(m, seconds_per_trial=None) for m in study.models))
    message = "expected clocks of training, found none: the study did not record them"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        plots.accuracy_against_time(bare)


def test_variance_shares_sum_to_one_and_one_seed_has_none(study):
    for model in study.models:
        assert sum(variance_shares(model)) == pytest.approx(1)
    estimate = replace(study.models[0].accuracy.estimate, seed_variance=None, noise_variance=None)
    single = replace(study.models[0], accuracy=replace(study.models[0].accuracy, estimate=estimate))
    assert variance_shares(single) is None
    plots.variance(replace(study, models=(single,)))


def test_the_worst_classes_come_first(study):
    model = study.model("mlp")
    worst = worst_classes(model, 3)
    means = [score.mean for _, score in worst]
    assert means == sorted(score.mean for score in model.per_class_accuracy)[:3]
    (axes,) = plots.per_class(study, "mlp").axes
    assert len(dots(axes)) == 10
    without = replace(model, per_class_accuracy=(None, *model.per_class_accuracy[1:]))
    assert 0 not in [k for k, _ in worst_classes(without, 10)]


def test_calibration_pools_the_seeds(study):
    (axes,) = plots.calibration(study, "cnn").axes
    seen = axes.lines[1]
    curves = study.model("cnn").calibration
    counts = np.sum([each.counts for each in curves], axis=0)
    hits = np.sum([each.counts * np.nan_to_num(each.accuracy) for each in curves], axis=0)
    enough = counts >= 30
    np.testing.assert_allclose(seen.get_ydata(), hits[enough] / counts[enough])


def test_an_unknown_model_is_named(study):
    message = "expected a model of this comparison (cnn, mlp, big), found rnn"
    message = message.replace("cnn, mlp, big", ", ".join(m.name for m in study.models))
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        plots.learning_curves(study, "rnn")
    assert plots.learning_curves(replace(study, models=study.models[:1]))


def test_spread_gives_every_dot_its_own_place():
    assert spread(1, width=0.4).tolist() == [0]
    for count in range(2, 40):
        offsets = spread(count, width=0.4)
        assert len(set(offsets.tolist())) == count
        assert abs(offsets).max() == pytest.approx(0.2)


# ── SVG ──────────────────────────────────────────────────────────────────────────────────────


def test_every_figure_becomes_svg_that_a_strict_page_allows(study):
    colors = {light for light, _ in PALETTE.values()} | {"#ffffff"}
    marks = set()
    for name, figure in every_figure(study):
        text = plots.svg(figure, alt=f'"{name}" <&>')
        root = ElementTree.fromstring(text)
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"] == f'"{name}" <&>'
        assert not re.search(r"http|xmlns|xlink|style|DOCTYPE|metadata|<!--", text), name
        ids = re.findall(r' id="([^"]+)"', text)
        assert set(re.findall(r"#(f[0-9a-f]{8}-\d+)", text)) == set(ids), name
        assert not marks & set(ids), name
        marks |= set(ids)
        if not name.startswith(("confusion", "mistakes")):  # those have shades
            assert set(re.findall(r"#[0-9a-f]{6}\b", text)) <= colors, name
        assert len(text) < 40_000, name


def test_svg_is_the_same_every_time_and_leaves_no_setting_behind(study):
    import matplotlib

    before = dict(matplotlib.rcParams)
    first = plots.svg(plots.accuracy_dots(study), alt="x")
    assert dict(matplotlib.rcParams) == before
    with matplotlib.rc_context({"font.size": 40, "axes.facecolor": "red", "lines.linewidth": 9}):
        assert plots.svg(plots.accuracy_dots(study), alt="x") == first


def test_a_standalone_svg_follows_light_and_dark(study):
    text = plots.svg(plots.accuracy_dots(study), alt="x", standalone=True)
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert text.count("http") == 1
    assert "prefers-color-scheme:dark" in text
    assert PALETTE["ink"][1] in text


def test_class_names_are_not_read_as_mathematics(study):
    names = ("$\\frac{", "a$b$c", "<b>", "&amp;", "鞋", *study.class_names[5:])
    odd = replace(study, class_names=names)
    shown = texts(plots.confusion(odd, "mlp"))
    assert "$\\frac{" in shown
    assert "a$b$c" in shown
    assert "&lt;b&gt;" in shown
    assert "鞋" in texts(plots.per_class(odd, "mlp"))


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
    for name, figure in every_figure(comparison):
        assert plots.svg(figure, alt=name)


def test_importing_figures_and_report_loads_no_matplotlib():
    code = (
        "import sys, bakeoff.report.plots, bakeoff.report; "
        "print([n for n in ('matplotlib', 'jinja2', 'rich', 'keras', 'jax') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_names_beside_points_cover_nothing(study):
    """Six points close together, two at the edges: no two names overlap, none leaves the panel."""
    sizes = (10, 12_000, 12_500, 13_000, 14_000, 10_000_000)
    base = study.models[0]
    models = tuple(
        replace(
            base,
            name=f"a-model-called-{place}",
            parameters=size,
            accuracy=replace(
                base.accuracy, estimate=replace(base.accuracy.estimate, mean=0.95 + 0.001 * place)
            ),
        )
        for place, size in enumerate(sizes)
    )
    figure = plots.accuracy_against_parameters(replace(study, models=models))
    (axes,) = figure.axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in axes.texts[1:]]
    assert len(boxes) == 6
    for place, box in enumerate(boxes):
        assert box.x0 > 0
        assert box.x1 < figure.bbox.x1 + 5
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])
