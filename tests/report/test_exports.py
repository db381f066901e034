"""The table as text to paste elsewhere.

Oracle: the comparison; parsers of CSV and Markdown. Cost: 3 s.

Run: pytest tests/report/test_exports.py
"""

import csv
import io
import re

from bakeoff import report
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
        assert row["recommended"] == ("yes" if model.name == "tiny" else "no")
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


def test_latex_escapes_what_latex_reads(study):
    text = report.latex(study)
    assert text.count(r"\\") == 1 + 3 + 2
    assert r"\textbf{tiny} & 7,500 & 95.10 \%" in text
    assert escape_latex(r"50 % of $x_1$ & \{a}~^") == (
        r"50 \% of \$x\_1\$ \& \textbackslash{}\{a\}\textasciitilde{}\textasciicircum{}"
    )


def test_the_notebook_fragment_is_plain_and_escaped(study):
    parsed = parse(report.fragment(study))
    assert not parsed.of("script")
    assert not parsed.of("style")
    assert TITLE in parsed.words("strong")
    assert len(parsed.of("tr")) == 1 + 3 + 2
