"""The words of a report, explained where they first stand.

Oracle: by hand. Cost: 1 s.

Run: pytest tests/report/page/test_glossary.py
"""

import re

from bakeoff.report.page import glossary


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


def test_p_is_explained_for_both_claims_it_stands_beside():
    """Of practically equal models it is that of the test of equality."""
    assert "a difference or practical equality" in glossary.GLOSSARY["p"][0]


def test_no_meaning_is_longer_than_a_breath():
    long = {word: len(meaning.split()) for _, word, meaning in glossary.entries()}
    assert max(long.values()) <= 36, long
