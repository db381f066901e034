"""Pictures a reader should look at, each with its name.

Oracle: the digits' own pixels. Cost: 5 s with the suite's finished study.

Run: pytest tests/report/page/test_galleries.py
"""

import json
import re
from dataclasses import replace

import pytest
from markupsafe import escape

from bakeoff import report
from bakeoff.analysis import notable_images
from bakeoff.analysis.compare import compare
from bakeoff.report.page import galleries
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.compare import compare as compare_studies
from bakeoff.utils.text import probability
from tests.helpers.fake_study import FakeModel, write_study

pytestmark = pytest.mark.usefixtures("figures_undrawn")  # of plots: the pictures here are images


def text_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\u00a0", " ").split()).replace(
        "&#39;", "'"
    )


def test_the_page_embeds_the_pictures_and_says_what_they_are(finished_study):
    comparison = compare([StudyFolder(finished_study)])
    page = report.html(comparison)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert "img-src data:;" in policy
    sources = re.findall(r'<img src="([^"]*)" alt="([^"]*)"', page)
    worst = notable_images.worst_mistakes(comparison, comparison.models[0].name)[0]
    uri = galleries.data_uri(comparison.pictures.of(worst.index))
    assert uri.startswith("data:image/png;base64,iVBOR")
    truth, answer = (comparison.class_names[k] for k in (worst.truth, worst.predicted))
    assert (uri, f"no. {worst.index}, of class {truth}") in sources
    assert all(source.startswith("data:image/png;base64,") for source, _ in sources)
    said = text_of(page)
    assert f"{truth} taken for {answer} {escape(probability(worst.probability, 0))} sure, " in said
    assert 'aria-label="8 training images of class 0"' in page
    assert report.html(comparison) == page


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("banana/IMG_2024-05_00346.jpg", ["banana/", "IMG_", "2024-05_", "00346", ".jpg"]),
        ("a.b/scan.final.jpeg", ["a.b/", "scan.final", ".jpeg"]),
        ("no. 12", ["no. 12"]),
        ("_", ["_"]),
    ],
)
def test_the_name_of_a_file_breaks_before_its_ending_and_not_within(name, lines):
    card = galleries.Card(source="", name=name, truth="", said="")
    assert card.name_parts == lines


def test_without_the_data_the_report_names_the_images_and_says_why(finished_study, monkeypatch):
    comparison = replace(compare([StudyFolder(finished_study)]), pictures=None)
    page = report.html(comparison)
    assert "<img" not in page
    assert (
        "There are no pictures here: they are taken from the data when the report is written "
        "where the data is at hand, unchanged."
    ) in text_of(page)
    worst = notable_images.worst_mistakes(comparison, comparison.models[0].name)[0]
    assert f"no. {worst.index}" in text_of(page)
    shown = galleries.all_samples(comparison)
    assert (shown.cards, shown.text) == ((), galleries.NO_PICTURES)


def test_a_study_whose_data_is_nowhere_is_reported_all_the_same(tmp_path):
    folder = write_study(tmp_path / "study", {"a": FakeModel(), "b": FakeModel(0.8)})
    result = compare_studies([folder])
    result.write()
    assert not folder.pictures_file.exists()
    assert json.loads(folder.comparison_file.read_text()) == result.to_json()


def test_galleries_show_the_images_in_a_notebook(finished_study):
    result = compare_studies([finished_study])
    comparison = result.comparison
    name = comparison.models[0].name
    first, *others = notable_images.worst_mistakes(comparison, name)
    shown = result.plot_mistakes(name)
    assert len(shown.cards) == 1 + len(others)
    card = shown.cards[0]
    assert card.source == galleries.data_uri(comparison.pictures.of(first.index))
    assert (card.truth, card.said, card.name) == (
        comparison.class_names[first.truth],
        f"taken for {comparison.class_names[first.predicted]}",
        f"no. {first.index}",
    )
    assert card.small == f"{probability(first.probability, 0)} sure, {first.agree} of 2 seeds"
    assert shown._repr_html_().count("<img ") == len(shown.cards)
    assert f"seeds</small><br><small>no. {first.index}<" in shown._repr_html_()  # no "seeds no. 3"
    assert f"no. {first.index}: " in repr(shown)
    samples = result.plot_samples()
    assert len(samples.cards) == 10 * notable_images.SAMPLES
    assert repr(samples).splitlines()[1:3] == ["0", "0"]  # its class; it was ": 0, "


def test_a_gallery_says_what_it_shows_or_that_there_is_nothing(study):
    shown = galleries.shared_mistakes(study)
    assert shown.text == (
        "In brackets, how many of the 3 models predict so. Is the label correct?"
        if shown.cards
        else "There is no test image that every model gets wrong."
    )
    shown = galleries.correct_alone(study)
    assert shown.text == (
        "What a single model sees and all others miss, by most of the seeds of each."
        if shown.cards
        else "There is no test image that exactly one model classifies correctly."
    )
    assert galleries.worst_mistakes(study, study.model("tiny")).text == (
        "The images that most of its 3 seeds get wrong, the worst first; below each, how many of "
        "them predict this class."
    )
