"""The page, the terminal table and the exports against the comparison they show.

Oracle: the fake study's exact numbers, the page parsed again as HTML, and a headless Chromium
(those tests skip where none is installed). Cost: 20 s.
Run: pytest tests/report/test_report.py
"""

import base64
import csv
import hashlib
import io
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from rich.console import Console

from bakeoff import report
from bakeoff.analysis.compare import compare
from bakeoff.analysis.comparison import Finding
from bakeoff.analysis.estimates import Estimate
from bakeoff.errors import UsageError
from bakeoff.report import galleries, glossary, sentences, wording
from bakeoff.report.exports import escape_latex, escape_markdown
from bakeoff.report.grouped_findings import grouped
from bakeoff.report.protocol_steps import protocol
from bakeoff.report.terminal import clean
from bakeoff.utils.text import (
    counted,
    duration,
    listed,
    p_value,
    percent,
    ratio,
    signed_points,
    whole_numbers,
)
from tests.helpers import browser, fake_study

CLASSES = (
    "<script>alert(1)</script>",
    "\"quoted\" & 'single'",
    "<img src=x onerror=alert(2)>",
    "Shirt",
    "T-shirt/top",
    "{{ 7 * 7 }}",
    "$x_1$ | [a](b)",
    "[red]not red[/red]",
    "</style></table>",
    "鞋",
)
TITLE = "<script>alert('title')</script> & {{ title }} </title>"
NEEDS_BROWSER = pytest.mark.skipif(
    browser.find() is None, reason="no Chromium is installed: apt-get install chromium"
)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return compare(
        [
            fake_study.write_study(
                tmp_path_factory.mktemp("report") / "study",
                {
                    "cnn": fake_study.FakeModel(accuracy=(0.952, 0.95, 0.954), parameters=30_000),
                    "tiny": fake_study.FakeModel(
                        accuracy=(0.951, 0.952, 0.95), parameters=7_500, confused={(3, 4): 0.5}
                    ),
                    "mlp": fake_study.FakeModel(
                        accuracy=(0.9, 0.905, 0.91), parameters=10_000, seconds=8.0
                    ),
                },
                title=TITLE,
                class_names=CLASSES,
                seeds=(0, 1, 2),
                n_test=4000,
                give_up=0.01,
            )
        ]
    )


@pytest.fixture(scope="module")
def page(study):
    return report.html(study)


@pytest.fixture(scope="module")
def parsed(page):
    return parse(page)


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """One seed, an opening too many, nothing to validate on."""
    return compare(
        [
            fake_study.write_study(
                tmp_path_factory.mktemp("single") / "study",
                seeds=(4,),
                n_test=300,
                n_validation=0,
                selection="last",
                openings=2,
            )
        ]
    )


class Page(HTMLParser):
    """A page as (tag, attributes) in order, its text, and the text of some elements."""

    VOID = frozenset(("meta", "br", "img", "hr", "link", "input"))

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.stack, self.text, self.inside = [], [], [], {}

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag not in self.VOID:
            self.stack.append(len(self.tags) - 1)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        open_tag = self.tags[self.stack.pop()][0]
        assert open_tag == tag, f"<{open_tag}> is closed by </{tag}>"

    def handle_data(self, data):
        for place in self.stack:
            self.inside.setdefault(place, []).append(data)
        if not any(self.tags[place][0] in ("script", "style", "title") for place in self.stack):
            self.text.append(data)

    def of(self, tag, **attributes):
        return [
            given
            for name, given in self.tags
            if name == tag and all(given.get(key) == value for key, value in attributes.items())
        ]

    def words(self, tag):
        return [
            "".join(self.inside.get(place, ()))
            for place, (name, _) in enumerate(self.tags)
            if name == tag
        ]


def parse(page):
    parser = Page()
    parser.feed(page)
    assert not parser.stack
    plain = Page()  # without the links to the glossary, which stand inside sentences
    plain.feed(re.sub(r'<a class="term"[^>]*>([^<]*)</a>', r"\1", page))
    text = " ".join(" ".join(plain.text).replace("\u00a0", " ").split())
    parser.body = re.sub(r" (?=[.,;])", "", text)
    return parser


# ── what the page says ───────────────────────────────────────────────────────────────────────


def test_the_page_holds_every_number_of_the_comparison(study, parsed):
    for model in study.models:
        accuracy = model.accuracy.estimate
        assert model.name in parsed.words("h3") + parsed.words("summary")
        assert f"{100 * accuracy.mean:.2f} %" in parsed.body
        assert f"{100 * accuracy.low:.2f}–{100 * accuracy.high:.2f} %" in parsed.body
        assert f"{model.parameters:,}" in parsed.body
    for pair in study.pairs:
        assert pair.sentence in parsed.body
    for finding in study.findings:
        assert finding.text in parsed.body
    for baseline, name in zip(
        study.baselines, ("majority class", "logistic regression"), strict=True
    ):
        low, high = 100 * baseline.accuracy.low, 100 * baseline.accuracy.high
        assert f"{name} baseline" in parsed.body
        assert f"{low:.2f}–{high:.2f} %" in parsed.body
    assert "4,000 test images, 3 seeds" in parsed.body
    assert parsed.words("title") == [f"{TITLE} · Bakeoff"]
    assert parsed.words("h1") == [TITLE]


def test_the_answer_comes_first_and_the_rest_in_order(study, parsed, page):
    assert study.recommended.model == "tiny"
    assert "Use tiny." in parsed.body
    assert sentences.reason(study) in parsed.body
    assert parsed.words("h2") == [
        "All models in numbers", "Findings", "Your data: digits", "How they trained",
        "What goes wrong", "Model against model",
        "What accuracy costs, and what would make it surer", "Each model", "How this was done",
    ]  # fmt: skip
    figure = page.index('aria-label="Test accuracy with 95 % intervals')
    assert page.index('class="answer"') < figure < page.index('<h2 id="table-heading"')
    shown = [a["id"] for a in parsed.of("article")]
    folded = [a["id"] for a in parsed.of("details", **{"class": "model"})]
    place = [model.name for model in study.models].index("tiny") + 1
    assert shown == [f"model-{place}"]
    assert len(folded) == 2


def test_findings_are_sorted_by_weight_and_linked_to_their_model(study):
    findings = (
        Finding("a-note", "info", None, "Note <b>.", "Do & nothing."),
        Finding("a-fault", "serious", "mlp", "Fault.", "Mend."),
        Finding("a-doubt", "warning", "tiny", "Doubt.", "Look."),
    )
    page = report.html(replace(study, findings=findings))
    assert page.index("a-fault") < page.index("a-doubt") < page.index("a-note")
    place = [model.name for model in study.models].index("mlp") + 1
    assert f'<a href="#model-{place}">mlp</a>' in page
    assert page.index("a-fault") < page.index('id="table"')  # serious: under the headline
    assert "Note &lt;b&gt;." in page
    assert "No check found anything to say." in report.html(replace(study, findings=()))


def test_eight_models_with_one_trouble_are_one_finding():
    same = [
        Finding("worse-than-baseline", "serious", f"m{k}", f"m{k} is worse.", "Use logistic.")
        for k in range(8)
    ]
    doubt = Finding("few-seeds", "warning", None, "Few seeds.", "Train more.")
    first, second = grouped([doubt, *same])
    assert first.text == ("8 models are worse than a baseline: m0, m1, m2, m3, m4, m5, m6 and m7.")
    assert first.advice == "Use logistic."
    assert first.each == tuple(f"m{k} is worse." for k in range(8))
    assert (second.text, second.advice, second.models) == ("Few seeds.", "Train more.", ())


def test_words_are_explained_where_they_first_stand():
    page = (
        '<head><title>seed</title></head><body>seed<main><h2>Seeds</h2><p title="a trial">Two '
        "seeds, one seed and a trial.</p><svg><text>interval</text></svg><p>A 95\u00a0% "
        "interval, a trial, an xseed.</p></main><footer>seed</footer></body>"
    )
    text = glossary.explained(page)
    links = r'<a class="term" href="#word-([a-z-]+)" title="[^"]+">([^<]+)</a>'
    assert re.findall(links, text) == [
        ("seed", "seeds"), ("trial", "trial"), ("interval", "95\u00a0% interval")
    ]  # fmt: skip
    assert re.sub(r'<a class="term"[^>]*>|</a>', "", text) == page
    assert all(len(meaning) < 200 for _, _, meaning in glossary.entries())


def test_one_seed_gives_no_verdict_and_many_openings_are_exploratory(single):
    parsed = parse(report.html(single))
    assert "Cannot say which model to use; cnn scored highest." in parsed.body
    assert "Exploratory: the test set was opened 2 times" in parsed.body
    assert "test set opened 2 times; verdicts are exploratory" in parsed.body
    assert "Model against model" in parsed.words("h2")
    assert not [a for a in parsed.of("svg") if a["aria-label"].startswith("Each row’s model")]
    assert single.pairs[0].sentence in parsed.body
    assert "300 test images, 1 seed" in parsed.body
    assert "recommended" not in parsed.words("small")


def test_missing_and_diverged_trials_are_named(tmp_path):
    models = {
        "cnn": fake_study.FakeModel(accuracy=0.95, lost=(1,)),
        "mlp": fake_study.FakeModel(diverged={2: 3}, seconds=None),
    }
    folder = fake_study.write_study(
        tmp_path / "study", models, seeds=(0, 1, 2), n_test=300, baselines={}
    )
    comparison = compare([folder])
    parsed = parse(report.html(comparison))
    assert "Missing, and therefore not counted: cnn seed 1." in parsed.body
    assert "mlp: training diverged with seed 2." in parsed.body
    assert "Seed 2 diverged in epoch 3" in parsed.body
    assert "2 to 3 seeds" in parsed.body
    assert "baseline" not in parsed.words("small")
    assert report.table(comparison)


def test_several_studies_on_one_test_set_make_one_page(tmp_path):
    folders = [
        fake_study.write_study(
            tmp_path / name, {"cnn": fake_study.FakeModel(0.9)}, name=name, seeds=(0, 1),
            n_test=300, selection=selection,
        )
        for name, selection in (("one", "best-loss"), ("two", "last"))
    ]  # fmt: skip
    comparison = compare(folders)
    parsed = parse(report.html(comparison))
    assert parsed.words("h1") == ["one + two"]
    names = {"one/cnn", "two/cnn"}
    assert names <= {*parsed.words("h3"), *parsed.words("summary")}
    assert "the last epoch were kept, as its study's recipe says" in parsed.body
    assert "what all studies share is the test images" in parsed.body


def test_a_comparison_of_nothing_can_still_be_shown(study):
    empty = replace(
        study, models=(), pairs=(), recommended=None, headline=None, findings=(), baselines=()
    )
    assert "Nothing has been scored yet." in parse(report.html(empty)).body
    assert "Nothing has been scored yet." in printed(empty)
    for text in (report.markdown, report.csv, report.latex, report.fragment):
        assert text(empty)


# ── what the page may not hold ───────────────────────────────────────────────────────────────


def test_titles_and_class_names_are_shown_and_never_run(parsed, page):
    assert len(parsed.of("script")) == 1
    assert not parsed.of("img")
    assert len(parsed.of("style")) == 1
    heads = parsed.words("th")
    for name in CLASSES:
        assert name in heads
        assert name in parsed.body.replace("  ", " ")
    assert not [a for _, a in parsed.tags if any(key.startswith("on") for key in a)]
    assert "49" not in parsed.words("h1")[0]


def test_the_page_holds_no_address(page):
    assert not re.search(r"https?:|www\.|@import|url\((?!#f)|xlink|xmlns|<link|<base", page)
    assert not re.search(r"[\"'(=\s]//[a-z]", re.sub(r"<script>.*?</script>", "", page, flags=re.S))
    parsed = parse(page)
    assert {a["href"][0] for a in parsed.of("a")} == {"#"}
    assert not [a for _, a in parsed.tags if {"src", "srcset", "action", "data"} & set(a)]


def test_the_policy_allows_the_pages_own_style_and_script_alone(parsed, page):
    (policy,) = [a["content"] for a in parsed.of("meta") if "http-equiv" in a]
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", page, flags=re.S)[1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert parts[f"{tag}-src"] == f"'sha256-{digest}'"
    assert not [a for _, a in parsed.tags if "style" in a]


def test_the_same_comparison_gives_the_same_bytes(study, page):
    assert report.html(study) == page


def test_ten_models_with_ten_seeds_stay_small(tmp_path):
    models = {
        f"model-{k}": fake_study.FakeModel(0.9 + 0.005 * k, parameters=1000 * 2**k, epochs=100)
        for k in range(10)
    }
    folder = fake_study.write_study(tmp_path / "study", models, seeds=range(10), n_test=400)
    page = report.html(compare([folder]))
    assert len(page.encode()) < 5_000_000


# ── for everybody ────────────────────────────────────────────────────────────────────────────


def test_every_figure_says_in_words_what_it_shows(parsed):
    for attributes in parsed.of("svg"):
        assert attributes["role"] == "img"
        assert len(attributes["aria-label"]) > 20
    # Curves, calibration and classes of three models; confusion twice; accuracy and the curves of
    # all models at two widths; classes' counts, ROC, PR, verdicts, two costs, variance.
    assert len(parsed.of("svg")) == 3 * 4 + 3 * 2 + 3 * 2 + 7


def test_the_page_can_be_walked_with_keyboard_and_screen_reader(parsed):
    assert parsed.of("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in parsed.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    ids = [a["id"] for _, a in parsed.tags if "id" in a]
    assert not [name for name, count in Counter(ids).items() if count > 1]
    for _, attributes in parsed.tags:
        for key in ("aria-labelledby", "href"):
            if key in attributes:
                assert attributes[key].removeprefix("#") in ids
    for tag, attributes in parsed.tags:
        if attributes.get("class") == "scroll":
            assert attributes["tabindex"] == "0"
            assert attributes["role"] == "region"
        if tag == "th":
            assert attributes["scope"] in ("row", "col")
    assert parsed.of("main")
    assert parsed.of("nav")[0]["aria-label"] == "Contents"


# ── in a real browser ────────────────────────────────────────────────────────────────────────


@NEEDS_BROWSER
def test_a_browser_opens_the_page_without_complaint_and_sorts_it(page, study, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    names = "[...document.querySelector('table[data-sort]').tBodies[0].rows]"
    names += ".map(row => row.cells[0].dataset.value)"
    with browser.Browser() as chromium:
        chromium.open(file)
        assert chromium.evaluate(names) == [model.name for model in study.models]
        header = "document.querySelectorAll('#table th button')"
        chromium.evaluate(f"{header}[1].click()")
        by_size = sorted(study.models, key=lambda model: -model.parameters)
        assert chromium.evaluate(names) == [model.name for model in by_size]
        chromium.evaluate(f"{header}[0].focus()")
        chromium.press("Enter", 13)
        assert chromium.evaluate(names) == sorted(model.name for model in study.models)
        sorts = "[...document.querySelectorAll('#table th')].map(h => h.ariaSort)"
        assert chromium.evaluate(sorts)[:2] == ["ascending", None]
        last = "[...document.querySelectorAll('#table tbody')].at(-1).rows[0].innerText"
        assert chromium.evaluate(last).startswith("majority class")  # baselines stay below
        hidden = "document.querySelectorAll('[data-models] svg .hidden').length"
        chromium.evaluate("document.querySelector('#curves .filters button').click()")
        assert chromium.evaluate(hidden) > 10  # the first model's curves
        mark = "document.querySelector('#answer .wide [data-tip]')"
        chromium.evaluate(
            f"{mark}.dispatchEvent(new PointerEvent('pointerover', {{bubbles: true}}))"
        )
        assert " · " in chromium.evaluate("document.querySelector('.tip:not(.hidden)').innerText")
        choose = """((number, value) => {
          const choice = document.querySelectorAll('#galleries select')[number];
          choice.value = value;
          choice.dispatchEvent(new Event('change'));
        })"""
        chromium.evaluate(f"{choose}(1, 'Shirt')")
        seen = (
            "[...document.querySelectorAll('#galleries li:not(.hidden)')].map(c => c.dataset.class)"
        )
        assert set(chromium.evaluate(seen)) == {"Shirt"}
        chromium.evaluate(f"{choose}(0, 'mlp')")
        parts = "[...document.querySelectorAll('#galleries > [data-model]:not(.hidden)')]"
        assert chromium.evaluate(f"{parts}.map(p => [p.dataset.model, p.open])") == [["mlp", True]]
        assert chromium.evaluate("document.title") == f"{TITLE} · Bakeoff"
        assert chromium.console == []
        assert chromium.requests == [file.as_uri()]


# The luminance of the page, then the contrast of every text with what is behind it.
CONTRAST = """(() => {
  const light = (color) => {
    const numbers = color.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const [r, g, b] = numbers.map((v) => color.startsWith("color(") ? v : v / 255)
      .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      if (color !== "rgba(0, 0, 0, 0)") return light(color);
    }
  };
  const texts = [...document.querySelectorAll("body *")].filter((node) =>
    [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())
    && !node.matches("script, svg [opacity], .hidden"));
  return [behind(document.body), ...texts.map((node) => {
    const style = getComputedStyle(node);
    const [ink, paper] = [light(node.tagName === "text" ? style.fill : style.color), behind(node)];
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  })];
})()"""


@NEEDS_BROWSER
def test_long_names_and_many_classes_do_not_widen_the_page(study, tmp_path):
    models = tuple(
        replace(model, name=f"{'a' * 60}-{place}") for place, model in enumerate(study.models)
    )
    recommended = replace(study.recommended, model=models[0].name, reason="b" * 300)
    probabilities = {
        new.name: study.probabilities[old.name]
        for new, old in zip(models, study.models, strict=True)
    }
    odd = replace(
        study, models=models, recommended=recommended, title="W" * 200, pairs=(),
        probabilities=probabilities,
    )  # fmt: skip
    file = tmp_path / "report.html"
    file.write_text(report.html(odd), encoding="utf-8")
    with browser.Browser(width=360) as chromium:
        chromium.open(file)
        assert chromium.evaluate("document.documentElement.scrollWidth") <= 360


@NEEDS_BROWSER
@pytest.mark.parametrize(("width", "dark"), [(360, True), (390, False), (1200, True)])
def test_a_browser_shows_it_at_any_width_in_light_and_dark(page, tmp_path, width, dark):
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    with browser.Browser(width=width, dark=dark) as chromium:
        chromium.open(file)
        assert chromium.evaluate("document.documentElement.scrollWidth") <= width
        paper, *ratios = chromium.evaluate(CONTRAST)
        assert (paper < 0.05) == dark
        assert len(ratios) > 500  # all texts, and every cell of a table on its own shade
        assert min(ratios) >= 4.5  # WCAG 2.2 AA for text
        assert len(re.findall(rb"/Type\s*/Page\b", chromium.pdf())) <= 6
        assert chromium.console == []


# ── the terminal ─────────────────────────────────────────────────────────────────────────────


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
    heads = next((line for line in lines if line.startswith("  model")), "")
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


# ── texts to paste elsewhere ─────────────────────────────────────────────────────────────────


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


def test_the_model_card_describes_the_recommended_model(study, single):
    card = report.model_card(study)
    assert card.startswith("# tiny\n")
    for heading in ("Model", "Why this model", "Data", "Scores", "Known confusions", "Limits"):
        assert f"\n## {heading}\n" in card
    assert "Shirt for T-shirt/top" in card
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in card
    assert "<script>" not in card
    accuracy = study.model("tiny").accuracy.estimate
    assert f"{100 * accuracy.low:.2f}–{100 * accuracy.high:.2f} %" in card
    assert "It is not the recommended model; that is tiny." in report.model_card(study, "mlp")
    assert "Exploratory" in report.model_card(single)
    message = "expected a model to describe, found none: train one first"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        report.model_card(replace(study, recommended=None))


# ── sentences ────────────────────────────────────────────────────────────────────────────────


def history(loss, validation, *, accuracy=0.9, val_accuracy=0.8):
    epochs = len(loss)
    return {
        "epoch": np.arange(float(epochs)),
        "loss": np.array(loss),
        "accuracy": np.full(epochs, accuracy),
        "val_loss": np.array(validation),
        "val_cross_entropy": np.array(validation),
        "val_accuracy": np.full(epochs, val_accuracy),
        "learning_rate": np.full(epochs, 0.001),
    }


def test_trajectories_in_words(study):
    def said(loss, validation, *findings, **accuracies):
        model = replace(
            study.model("mlp"),
            seeds=(0,),
            histories=(history(loss, validation, **accuracies),),
            selected_epochs=(1,),
            diverged_epochs=(None,),
        )
        return sentences.trajectory(replace(study, findings=findings), model)

    over = Finding("over-fitting", "info", "mlp", "", "")
    assert said([2.0, 1.0, 0.5], [1.0, 0.8, 1.2], over) == [
        "Training loss went from 2.000 to 0.500 in 3 epochs (mean of 1 seed); validation loss was "
        "lowest, 0.800, in epoch 1 and had risen to 1.200 by epoch 2, while training loss went on "
        "falling: the sign of over-fitting.",
        "In the selected epochs it was correct on 90.00 % of the training images and 80.00 % of "
        "the validation images: a gap of 10.00 points.",
    ]
    assert said([2.0, 1.0, 0.5], [1.0, 0.8, 0.81])[0].endswith(
        "validation loss was lowest, 0.800, in epoch 1 and stayed near it, 0.810 in epoch 2."
    )
    assert said([2.0, 1.0, 0.05], [1.0, 0.8, 0.7])[0] == (
        "Training loss went from 2.000 to 0.0500 in 3 epochs (mean of 1 seed); validation loss was "
        "lowest, 0.700, in the last epoch, so more epochs might still have helped."
    )
    assert said([2.0, 1.0], [1.0, 0.8], accuracy=0.7)[1].endswith(
        "a gap of −10.00 points (training accuracy is measured during the epoch, with dropout and "
        "augmentation at "
        "work)."
    )


def test_the_sentences_people_read_most(study, parsed):
    """Word for word; whoever changes one reads it aloud to somebody who teaches biology."""
    tiny, cnn = study.model("tiny"), study.model("cnn")
    assert sentences.about_mistakes(study, tiny).startswith("Most often it takes Shirt for T-shirt")
    assert re.fullmatch(
        r"Its confidence and its accuracy are \d\.\d\d points apart on average \(3 seeds, "
        r"\d\.\d\d to \d\.\d\d; expected calibration error, 15 bins\)\.",
        sentences.about_calibration(cnn),
    )
    assert sentences.about_frontier(study) == (
        "mlp is matched or beaten by a model that is no larger. That is not so of tiny and cnn."
    )
    assert sentences.about_frontier(replace(study, models=(tiny,))) == (
        "Each larger model has a higher mean accuracy, so none is beaten by a smaller one."
    )
    assert re.fullmatch(
        r"Which images are in the test set makes \d+ % of the uncertainty about one model \(share "
        r"of the squared standard error, mean over the models\)\. Two models see the same images, "
        r"so between them it is less: \d+ % from the images, \d+ % from the seeds and \d+ % "
        r"from both together \(mean over 3 pairs\)\. "
        r"(Either more seeds or more test images|More seeds"
        r"|More test images) would tell the models apart best\.",
        sentences.about_variance(study),
    )
    assert re.fullmatch(
        r"Practically equal means: shown to differ by less than 0\.20 points \(the margin\)\. With "
        r"4,000 test images, 3 seeds, differences smaller than \d\.\d\d points cannot be ruled out "
        r"for any pair\.",
        sentences.about_margin(study),
    )
    assert sentences.about_loss(study).startswith(
        "Accuracy counts correct answers and decides the verdicts; the loss also weighs how sure a "
        "model was, so it matters where its probabilities are used. Here "
    )
    assert sentences.about_data(study) == (
        "10 classes, every image brought to 8 × 8 pixels, grey. No image stands in two parts of "
        "the split, exactly or nearly."
    )
    copies = {"exact": {"train-test": 1}, "near": {"train-validation": 2}}
    twin = {"kind": "exact", "parts": "train-test", "files": ["rose/a.jpg", "rose/b.jpg"]}
    twice = replace(study, duplicates=copies, data={**study.data, "twins": [twin]})
    assert sentences.about_data(twice).endswith(
        "1 test image has an exact copy in the training part. 2 validation images have a near-copy "
        "in the training part."
    )
    assert sentences.twins(twice) == ["rose/b.jpg (test) is rose/a.jpg (training)."]
    said = parsed.body
    for sentence in (
        "Test accuracy. A dot is one seed, the bar the 95 % interval for other images and other "
        "seeds, its mark the mean; models that share a letter are not separated.",
        "Means over the seeds; in small, 95 % intervals (of a baseline: Wilson’s, on the images).",
        "Loss is the cross-entropy without regularization losses.",
        "Measured on the validation images after each epoch. A line is the mean over the seeds, "
        "its band spans all seeds, a dot marks a seed’s selected epoch; the first epochs may lie "
        "below the picture.",
        "Percent of each class’s test images that a model finds (recall); the darker, the more it "
        "misses.",
        "Each class against the rest; percent, and areas under the curves below. Means over the "
        "seeds; hover to see their range.",
        "Each class against the rest: the mean over the seeds, and the band of all seeds.",
        "A row is a true class, a column what was answered; mean of 3 seeds.",
        "The same without the correct answers, so that the mistakes can be seen.",
        "The row’s model against the column’s, in points: ▲ better, ▼ worse, ≈ practically equal, "
        "? not separated.",
        "The broad line joins the models that nothing cheaper equals; bars are 95 %.",
        "On the dashed line a model is as often correct as it is sure.",
    ):
        assert sentence in said, sentence
    assert sentences.footer(study) == "digits: 4,000 test images, 3 seeds; test set opened once."
    assert [step.name for step in protocol(study)][:3] == ["Split", "Train", "Select"]
    shown = galleries.shared_mistakes(study)
    assert shown.text in (
        "In brackets, how many of the 3 models answer so. Is the label correct?",
        "There is no test image that every model gets wrong.",
    )
    assert galleries.correct_alone(study).text in (
        "What a single model sees and all others miss, by most of the seeds of each.",
        "There is no test image that exactly one model classifies correctly.",
    )
    assert galleries.worst_mistakes(study, tiny).text == (
        "The images that most of its 3 seeds get wrong, the worst first."
    )
    long = {word: len(meaning.split()) for _, word, meaning in glossary.entries()}
    assert max(long.values()) <= 36, long


def test_the_protocol_carries_this_studys_numbers(study):
    steps = {step.name: step.text for step in protocol(study)}
    assert list(steps) == ["Split", "Train", "Select", "Open", "Compare", "Recommend", "Baselines"]
    assert steps["Split"].startswith(
        "4,000 images of digits for training, 1,000 for validation, 4,000 for testing (10 classes"
    )
    assert "3 models with 3 seeds (seeds 0–2): 9 trials." in steps["Train"]
    assert "lowest validation loss" in steps["Select"]
    assert "opened once" in steps["Open"]
    assert "over the 3 pairs" in steps["Compare"]
    assert "±0.20 points" in steps["Compare"]
    assert "less than 1.00 points" in steps["Recommend"]


def test_numbers_are_written_as_people_write_them():
    assert percent(0.98765) == "98.77 %"
    assert signed_points(-0.00415) == "−0.41"
    assert signed_points(0.02) == "+2.00"
    assert [duration(t) for t in (None, 0.42, 41.2, 310.0, 5400.0, 9000.0)] == [
        *("–", "0.4 s", "41 s", "5.2 min", "90 min", "2.5 h"),
    ]
    assert whole_numbers((0, 1, 2, 3, 7, 9, 10)) == "0–3, 7, 9, 10"
    assert wording.seed_list((3,)) == "seed 3"
    assert listed(["a"]) == "a"
    assert listed("abc") == "a, b and c"
    assert counted(1, "class", "classes") == "1 class"
    assert p_value(0.0004) == "< 0.001"
    estimate = Estimate(0.5, 0.4, 0.6, 10, 1, None, "wilson", 0.1, None, None)
    assert wording.interval(estimate) == "40.00–60.00 %"


def test_layers_are_told_in_a_line_each():
    settings = {
        "layers": [
            {"conv2d": {"filters": 32, "kernel_size": [3, 3], "strides": [1, 1], "padding": "same",
                        "activation": "relu", "kernel_regularizer": None}},
            {"max_pooling2d": {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}},
            "flatten",
            {"dropout": {"rate": 0.25}},
            {"dense": {"units": 64, "activation": "linear", "kernel_regularizer": {"l2": 0.001}}},
            {"residual": [{"activation": {"activation": "relu6"}}]},
        ],
        "training": {"epochs": 5, "batch_size": 128,
                     "optimizer": {"rmsprop": {"learning_rate": 0.001}}},
    }  # fmt: skip
    assert wording.layers(settings) == [
        "conv2d 32 3×3 same relu",
        "max_pooling2d 2",
        "flatten",
        "dropout 0.25",
        "dense 64, l2 0.001",
        "residual: the input of these is added to their output",
        "– activation relu6",
    ]
    assert wording.training(settings) == "rmsprop, learning rate 0.001, batches of 128, 5 epochs"
    assert wording.layers({"backbone": "efficientnet_lite0", "layers": []}) == [
        "backbone efficientnet_lite0, frozen, trained on ImageNet (ILSVRC 2012): 1,281,167 "
        "photographs from the web in 1,000 classes: a test image that stands in there is not unseen"
    ]
    assert wording.layers({"python": "my_models.py:build"}) == ["built by my_models.py:build"]


def test_ratios_stay_readable():
    assert ratio(407_050, 55_298) == "7.36"
    assert ratio(10_000, 5) == "2,000"
    assert ratio(5, 5) == "1"
    assert ratio(5, 0) == ""


def test_names_that_would_be_cut_alike_are_shown_whole(tmp_path):
    names = [f"conv-net-with-dropout-0.{k}-and-batch-norm-lr-0.001" for k in (1, 2)]
    models = {name: fake_study.FakeModel(0.9) for name in (*names, "b-" + 40 * "x")}
    text = printed(compare([fake_study.write_study(tmp_path / "s", models)]), width=60)
    joined = "".join(text.split())
    assert "b-xxxxxxxxxxx…xxxxxxxxxxxx" in joined
    for name in names:
        assert "".join(each.strip() for each in name) in joined.replace("→", "")


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
    assert row.index(both[0]) < row.index("1 of 5  1–72 %") < row.index(both[1])
    said = f"Its mean accuracy is {both[0]} % with them and {both[1]} % without"
    narrow = " ".join(printed(found, width=60).split())
    assert said in narrow and "failed runs" not in narrow.split("Verdicts")[0]
    page = " ".join(report.html(found).split())
    assert "Failed runs" in page and "Accuracy without them" in page and "rate 1–72 %" in page
    healthy = compare([fake_study.write_study(tmp_path / "t", {"steady": models["steady"]})])
    assert "Failed runs" not in report.html(healthy)
