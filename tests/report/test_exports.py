"""The table as text to paste elsewhere.

Oracle: the comparison; parsers of CSV and Markdown. Cost: 3 s.

Run: pytest tests/report/test_exports.py
"""

import csv
import io
import re
from dataclasses import replace

from bakeoff import report
from bakeoff.analysis.race_outcome import DroppedModel, Race
from bakeoff.analysis.recommendation import Headline
from bakeoff.report.exports import escape_latex, escape_markdown
from tests.helpers.pages import TITLE, parse


def test_csv_holds_full_precision(study):
    rows = list(csv.DictReader(io.StringIO(report.csv(study))))
    assert [row["name"] for row in rows] == [
        *(model.name for model in study.models),
        "majority",
        "logistic",
    ]
    for row, model in zip(rows, study.models, strict=False):
        accuracy = model.accuracy.estimate
        assert float(row["accuracy"]) == accuracy.mean
        assert (float(row["accuracy_low"]), float(row["accuracy_high"])) == (
            accuracy.low,
            accuracy.high,
        )
        assert int(row["parameters"]) == model.parameters
        chosen = study.recommended if model.name == "tiny" else None
        assert row["recommended"] == ("yes" if chosen else "no")
        assert row["loses_at_most"] == (repr(float(chosen.loses_at_most)) if chosen else "")
        assert row["loses_to"] == (chosen.loses_to if chosen else "")
    assert rows[-1]["kind"] == "baseline"


def test_markdown_is_one_table_whose_names_are_escaped(study):
    text = report.markdown(study)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 3 + 2
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 9 for row in rows)
    assert "| **tiny** | 7,500 |" in text
    assert "### &lt;script&gt;alert('title')&lt;/script&gt; &amp; \\{\\{ title \\}\\}" in text
    assert "Use **tiny**. " in text
    assert escape_markdown("a|b\n*c* [x](y) <i>") == r"a\|b \*c\* \[x\](y) &lt;i&gt;"
    assert escape_markdown("$x^2$") == r"\$x^2\$"  # GitHub would typeset it


def test_where_time_counts_every_form_has_a_column_for_it(timed, study):
    rows = list(csv.DictReader(io.StringIO(report.csv(timed))))
    assert [row["batch_prediction_seconds"] for row in rows[:3]] == ["2e-05", "5e-05", "5.2e-05"]
    assert [row["prediction_seconds"] for row in rows] == [""] * 5
    text = report.markdown(timed)
    assert "| Model | Parameters | Image in a batch | Test accuracy |" in text
    assert "| 7,500 | 0.05 ms |" in text
    assert re.search(r"\| majority class \| \d+ \|  \| ", text)
    tabular = report.latex(timed)
    assert r"\begin{tabular}{lrrrrlrrr}" in tabular
    assert r"\textbf{tiny} & 7,500 & 0.05 ms & 95.10 \%" in tabular
    assert "<th>Image in a batch</th>" in report.fragment(timed)
    assert all(
        "Image in a batch" not in form(study)
        for form in (report.markdown, report.latex, report.fragment)
    )


def test_a_headline_reads_as_it_is_written_in_every_form(study):
    """A blank was lost after a name: **b**scored highest."""
    unsure = replace(study.headline, before="It is open; ", name="tiny", after=" scored highest.")
    open_study = replace(study, recommended=None, headline=unsure)
    assert "It is open; **tiny** scored highest. " in report.markdown(open_study)
    assert "It is open; <strong>tiny</strong> scored highest. " in report.fragment(open_study)
    nothing = replace(study.headline, before="Nothing here is usable.", name="", after="")
    none = report.fragment(replace(study, recommended=None, headline=nothing))
    assert "Nothing here is usable. " in none and "<strong></strong>" not in none


def test_no_form_names_a_model_without_what_it_may_lose(study):
    """Of a table without a headline, the caption says what is bold, and how sure that is."""
    chosen = replace(study.recommended, caution="cnn may be up to 1.30 points better")
    headline = replace(study.headline, after=", though cnn may be up to 1.30 points better.")
    doubtful = replace(study, recommended=chosen, headline=headline)
    caution = ", though cnn may be up to 1.30 points better. "
    assert f"Bold: recommended{caution}Means" in report.latex(doubtful)
    assert "Bold: recommended. Means" in report.latex(study)
    assert f"Use **tiny**{caution}" in report.markdown(doubtful)
    assert f"Use <strong>tiny</strong>{caution}" in report.fragment(doubtful)
    assert f"Use tiny{caution}" in report.model_card(doubtful)
    assert f"Use tiny{caution}".strip() == report.answer(doubtful)


def test_a_bold_row_without_a_winner_says_so_in_latex_too(study):
    """It has no headline: bold alone would name one of equals as the model to use."""
    equals = Headline("no winner", None, ("tiny", "small"), "No winner among a and b.", "", "", "")
    assert "No winner among a and b. Bold: recommended" in report.latex(
        replace(study, headline=equals)
    )


def test_latex_escapes_what_latex_reads(study):
    text = report.latex(study)
    assert text.count(r"\\") == 1 + 3 + 2
    assert r"\textbf{tiny} & 7,500 & 95.10 \%" in text
    assert escape_latex(r"50 % of $x_1$ & \{a}~^") == (
        r"50 \% of \$x\_1\$ \& \textbackslash{}\{a\}\textasciitilde{}\textasciicircum{}"
    )
    assert escape_latex("a--b---c | d–e") == r"a-{}-b-{}-{}-c \textbar{} d--e"


def test_no_table_is_silent_about_models_that_a_race_dropped(study):
    """Pasted elsewhere, the table of the survivors looked like that of all models."""
    times = {"trials": 8, "seconds": None}
    gone = DroppedModel("idle", "s", 10, (0, 1, 2), (0.5,), None, 3, "cnn", 0.4, 1e-6, 2, None)
    raced = replace(study, race=Race(after=(3,), delta=0.005, dropped=(gone,), **times))
    for form in (report.markdown, report.latex, report.fragment):
        assert "idle (dropped after 3 seeds, 50.00 " in form(raced)
        assert "Race" not in form(study)
    row = list(csv.DictReader(io.StringIO(report.csv(raced))))[len(study.models)]
    assert {column: cell for column, cell in row.items() if cell} == {
        **{"name": "idle", "kind": "dropped", "study": "s", "parameters": "10", "seeds": "3"},
        "recommended": "no",
    }


def test_the_notebook_fragment_is_plain_and_escaped(study):
    parsed = parse(report.fragment(study))
    assert not parsed.of("script")
    assert not parsed.of("style")
    assert TITLE in parsed.words("strong")
    assert len(parsed.of("tr")) == 1 + 3 + 2
