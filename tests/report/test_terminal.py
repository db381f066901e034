"""The table in the terminal.

Oracle: the comparison that it shows. Cost: 3 s.

Run: pytest tests/report/test_terminal.py
"""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from bakeoff import report
from bakeoff.analysis.compare import compare
from bakeoff.report.terminal import clean
from tests.helpers import fake_study
from tests.helpers.pages import TITLE


def printed(comparison, *, width=100, **options):
    console = Console(width=width, file=io.StringIO(), **options)
    console.print(report.table(comparison))
    return console.file.getvalue()


def test_the_terminal_table_says_the_same(study):
    text = printed(study, width=120)
    for model in study.models:
        accuracy = model.accuracy.estimate
        row = next(line for line in text.splitlines() if line[2:].startswith(model.name + " "))
        assert f"{100 * accuracy.mean:.2f}  {100 * accuracy.low:.2f}–" in row
        assert f"{model.parameters:,}" in row
        assert row.startswith("→ ") == (model.name == "tiny")
    assert "majority class" in text
    assert text.index("Findings") < text.index("  model ") < text.index("Use tiny.")
    assert "▲ cnn better than mlp" in text
    assert TITLE in text
    assert "digits: 4,000 test images, 3 seeds; test set opened once." in text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_the_terminal_table_fits_any_window(study, width):
    lines = printed(study, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in printed(study, width=max(width, 60))
    heads = next((line for line in lines if line.startswith("  model  ")), "")
    assert ("loss" in heads) == (width >= 80)
    assert bool(heads) != ("  logistic regression" in lines)  # by itself where no table fits


def test_the_terminal_prints_markup_and_control_characters_as_text(study):
    odd = replace(study, title="[bold]x[/bold]\x1b[31m\u202eabc")
    text = printed(odd, force_terminal=True, color_system="truecolor")
    assert "[bold]x[/bold]\ufffd[31m\ufffdabc" in text
    assert clean("a\tb\nc\x9b\u2028d") == "a\ufffdb\ufffdc\ufffd\ufffdd"


def test_the_terminal_table_of_one_seed_and_of_many_pairs(single, study):
    text = printed(single, width=120)
    assert "cnn seed 4 alone is correct on" in text
    assert "verdicts are exploratory" in text
    many = replace(study, pairs=study.pairs * 4)
    assert "12 pairs: 8 better and 4 not separated; the report names them all." in printed(many)


def test_terminal_and_page_round_a_bound_up(study):
    just = replace(study, pairs=tuple(replace(p, less_than=0.01674) for p in study.pairs))
    assert printed(just, width=400).count("differ by less than 1.68 (one-sided 95 %)") == 3
    page = report.html(just).replace("\u00a0", " ")
    assert page.count(" by less than 1.68 points (one-sided 95 %)") == 3


def test_of_one_repeat_of_folds_nothing_is_said_of_files_and_seeds(single):
    pairs = tuple(replace(pair, folded=True) for pair in single.pairs)
    folds = printed(replace(single, data={**single.data, "folds": 5}, pairs=pairs), width=120)
    assert "The folds' networks of models, two at a time (exact McNemar); about" in folds
    assert "cnn repeat 4 alone is correct on" in folds
    assert "Trained files" not in folds


def test_letters_are_explained_where_there_are_several_models(study):
    """Of one model that survives a race there is nothing to share."""
    said = "models that share a letter are not separated"
    one = study.model("tiny")
    assert said in " ".join(printed(study).split())
    alone = replace(study, models=(one,), pairs=())
    assert one.group and said not in " ".join(printed(alone).split())
    equal = (replace(study.pairs[0], verdict="practically equal"), *study.pairs[1:])
    both = " ".join(printed(replace(study, pairs=equal)).split())
    assert f"{said}, or practically equal" in both
    for form in (report.markdown, report.latex, report.fragment, report.html):
        assert "share a letter" in form(study) and "share a letter" not in form(alone)


def test_names_that_would_be_cut_alike_are_shown_whole(tmp_path):
    names = [f"conv-net-with-dropout-0.{k}-and-batch-norm-lr-0.001" for k in (1, 2)]
    models = {name: fake_study.FakeModel(0.9) for name in (*names, "b-" + 40 * "x")}
    text = printed(compare([fake_study.write_study(tmp_path / "s", models)]), width=60)
    joined = "".join(text.split())
    assert "b-xxxxxxxxxxx…xxxxxxxxxxxx" in joined
    for name in names:
        assert "".join(each.strip() for each in name) in joined.replace("→", "")


@pytest.mark.usefixtures("figures_undrawn")
def test_failed_runs_have_a_column_and_both_means(tmp_path):
    models = {
        "steady": fake_study.FakeModel(0.94),
        "falls": fake_study.FakeModel((0.96, 0.95, 0.96, 0.5, 0.96), diverged={3: 4}),
    }
    found = compare([fake_study.write_study(tmp_path / "s", models)])
    falls = found.model("falls")
    assert falls.failed == (3,)
    text = printed(found, width=160)
    assert "failed runs" in text and "without, %" in text
    row = next(line for line in text.splitlines() if line[2:7] == "falls")
    both = [f"{100 * each:.2f}" for each in (falls.accuracy.mean, falls.sound_accuracy)]
    assert row.index(both[0]) < row.index("1 of 5  0–72 %") < row.index(both[1])
    said = f"Its mean accuracy is {both[0]} % with them and {both[1]} % without"
    narrow = " ".join(printed(found, width=60).split())
    assert said in narrow and "failed runs" not in narrow.split("Verdicts")[0]
    page = " ".join(report.html(found).split())
    assert "Failed runs" in page and "Accuracy without them" in page and "rate 0–72 %" in page
    healthy = compare([fake_study.write_study(tmp_path / "t", {"steady": models["steady"]})])
    assert "Failed runs" not in report.html(healthy)


def test_intervals_of_pairs_are_called_pairwise(tmp_path):
    two = {"a": fake_study.FakeModel(0.94), "b": fake_study.FakeModel(0.95)}
    many = {f"m{k}": fake_study.FakeModel(0.9 + 0.005 * k) for k in range(6)}
    titles = {
        (2, 5): "Verdicts (pairwise 95 % intervals, Holm-adjusted p)",
        (2, 2): "Differences; no verdicts below 3 seeds of each model (pairwise 95 % intervals)",
        (6, 5): "Verdicts",  # of 15 pairs none is shown
    }
    for (models, seeds), title in titles.items():
        study = fake_study.write_study(
            tmp_path / f"{models}-{seeds}", two if models == 2 else many, seeds=range(seeds)
        )
        assert title in printed(compare([study]), width=160).splitlines()


def test_where_time_counts_it_has_a_column(timed):
    text = printed(timed, width=120)
    row = next(line for line in text.splitlines() if line[2:].startswith("tiny "))
    assert row.split()[2:5] == ["7,500", "0.05", "ms"]
    assert "an image: prediction time in a batch." in " ".join(text.split())
    lines = " ".join(printed(timed, width=40).split())
    assert "30,000 parameters, 0.02 ms an image" in lines
