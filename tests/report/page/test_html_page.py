"""The page, the terminal table and the exports against the comparison they show.

Oracle: the fake study's exact numbers, the page parsed again as HTML, and a headless Chromium
(those tests skip where none is installed). Cost: 20 s.
Run: pytest tests/report/page/test_html_page.py
"""

import base64
import hashlib
import io
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from rich.console import Console

from bakeoff import report
from bakeoff.analysis.compare import compare
from bakeoff.analysis.comparison import Finding
from bakeoff.analysis.preference import Order
from bakeoff.analysis.race_outcome import DroppedModel, Race
from bakeoff.report.page import html_page
from bakeoff.report.words import conclusion
from tests.helpers import browser, fake_study
from tests.helpers.pages import CLASSES, TITLE, parse

NEEDS_BROWSER = pytest.mark.skipif(
    browser.find() is None, reason="no Chromium is installed: apt-get install chromium"
)


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


def test_the_sentences_people_read_most(parsed):
    """Word for word; whoever changes one reads it aloud to somebody who teaches biology."""
    for sentence in (
        "Test accuracy. A dot is one seed, the bar the 95 % interval for other images and other "
        "seeds, its mark the mean; models that share a letter are not separated.",
        "Means over the seeds; in small, 95 % intervals (of a baseline: Wilson’s, on the images).",
        "Loss is the cross-entropy without regularization losses.",
        "Measured on the validation images after each epoch. A line is the mean over the seeds, "
        "its band spans all seeds, a dot marks a seed’s selected epoch; the first epochs may lie "
        "below the picture.",
        "Percent of each class’s test images that a model finds (recall); the stronger the colour, "
        "the more it misses.",
        "Each class against the rest; percent, and areas under the curves below. Means over the "
        "seeds; hover to see their range.",
        "Each class against the rest: the mean over the seeds, and the band of all seeds.",
        "A row is a true class, a column a predicted class; mean of 3 seeds.",
        "The same without the correct predictions, so that the mistakes can be seen.",
        "The row’s model against the column’s, in points: ▲ better, ▼ worse, ≈ practically equal, "
        "? not separated.",
        "The broad line joins the models that nothing cheaper equals; bars are 95 %.",
        "On the dashed line a model is as often correct as it is sure.",
    ):
        assert sentence in parsed.body, sentence


def test_the_answer_comes_first_and_the_rest_in_order(study, parsed, page):
    assert study.recommended.model == "tiny"
    assert "Use tiny." in parsed.body
    assert conclusion.reason(study) in parsed.body
    assert parsed.words("h2") == [
        "Your data: digits", "How they trained", "What goes wrong", "Model against model",
        "What accuracy costs, and what would make it surer", "Each model", "How this was done",
    ]  # fmt: skip
    figure = page.index('aria-label="Test accuracy with 95 % intervals')
    assert page.index('class="answer"') < figure < page.index('<div id="findings"')
    assert page.index('<div id="findings"') < page.index('<h2 id="data-heading"')
    assert page.index('<h2 id="table-heading"') < page.index('<h3 id="verdicts"')
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
    chart = page.index('aria-label="Test accuracy with 95 % intervals')
    assert page.index("a-fault") < chart < page.index("a-doubt")  # serious: under the headline
    assert "Note &lt;b&gt;." in page
    assert "No check found anything to say." in report.html(replace(study, findings=()))


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


@pytest.mark.usefixtures("figures_undrawn")
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
    assert "mlp diverged in seed 2 of 3 seeds, in epoch 3: the loss was no finite" in parsed.body
    assert "Seed 2 diverged in epoch 3" in parsed.body
    assert "2 to 3 seeds" in parsed.body
    assert "baseline" not in parsed.words("small")
    assert report.table(comparison)


@pytest.mark.usefixtures("figures_undrawn")
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
    assert "for testing (10 classes" in parsed.body
    first = "of the first study; what all studies share is the test images"
    assert parsed.body.count(f"{first}.") == 2
    assert f"Numbers of training and validation images are those {first}." in parsed.body
    card = report.model_card(comparison)
    assert f" for testing, {first}" in card and "SHA-256 of the first study's data: " in card
    assert "data of the first study, hash" in parsed.words("dt")
    assert "Every opening of the test set by the studies one + two" in parsed.body
    assert "Made by Bakeoff from the studies one + two." in report.model_card(comparison)


@pytest.mark.usefixtures("figures_undrawn")
def test_a_comparison_of_nothing_can_still_be_shown(study):
    empty = replace(
        study, models=(), pairs=(), recommended=None, headline=None, findings=(), baselines=()
    )
    assert "Nothing has been scored yet." in parse(report.html(empty)).body
    assert "Nothing has been scored yet." in printed(empty)
    for text in (report.markdown, report.csv, report.latex, report.fragment):
        assert text(empty)


# ── what the page may not hold ───────────────────────────────────────────────────────────────


def test_of_many_models_the_matrix_says_which_it_shows(study, monkeypatch):
    monkeypatch.setattr(html_page, "MOST_MODELS", 2)
    assert html_page._pairs(study)["matrix"].caption == (
        "The row’s model against the column’s, in points: ▲ better, ▼ worse, ≈ practically equal, "
        "? not separated. These are the 2 models with the highest test accuracy; every pair stands "
        "below in words."
    )


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


def test_the_same_comparison_gives_the_same_bytes(study, page, drawn_anew):
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
    names = "[...document.querySelector('#table table').tBodies[0].rows]"
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
        order=Order({model.name: model.parameters for model in models}),
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


@NEEDS_BROWSER
def test_no_column_is_cut_on_a_tablet_and_none_is_without_its_head_on_a_phone(study, tmp_path):
    gone = DroppedModel(
        name="dropped", study="s", parameters=10, seeds=(0, 1, 2), seconds_per_trial=2.0, after=3,
        validation_accuracy=(0.25, 0.5, 0.75), leader="mlp", difference=0.4, p=1e-6,
        not_trained=2, saved_seconds=4.0,
    )  # fmt: skip
    race = Race(after=(3,), delta=0.005, dropped=(gone,), trials=8, seconds=16.0)
    failing = replace(study.models[0], failed=(1,), sound_accuracy=0.951)
    raced = replace(study, race=race, models=(failing, *study.models[1:]))
    file = tmp_path / "report.html"
    file.write_text(report.html(raced), encoding="utf-8")
    for width in (737, 768, 800, 1060, 1100, 1200):
        with browser.Browser(width=width) as chromium:
            chromium.open(file)
            chromium.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            cut = "[...document.querySelectorAll('.scroll')]"
            cut += ".filter(place => place.scrollWidth > place.clientWidth)"
            heads = f"{cut}.map(place => place.innerText.split('\\n')[0])"
            assert chromium.evaluate(heads) == [], width
    with browser.Browser(width=390) as chromium:
        chromium.open(file)
        cells = "[...document.querySelectorAll('#table td')].filter(each => each.textContent)"
        heads = f"{cells}.map(each => getComputedStyle(each, '::before').content)"
        assert not {"none", "normal", '""'} & set(chromium.evaluate(heads))


# ── the terminal ─────────────────────────────────────────────────────────────────────────────


def printed(comparison, *, width=100, **options):
    console = Console(width=width, file=io.StringIO(), **options)
    console.print(report.table(comparison))
    return console.file.getvalue()
