"""The documentation as a site: it builds, no link is broken, nothing is fetched from elsewhere.

Oracle: MkDocs in its strict mode, and the built pages. Cost: 8 s.
Run: .venv/bin/pytest tests/project/test_site.py
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import bakeoff

pytest.importorskip("mkdocs")
pytest.importorskip("material")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    target = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", target],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_every_page_is_built_and_reached(site):
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html")
             for path in (ROOT / "docs").rglob("*.md")}  # fmt: skip
    assert pages <= {path.relative_to(site) for path in site.rglob("*.html")}
    start = (site / "index.html").read_text(encoding="utf-8")
    unlinked = [str(page) for page in pages if f'href="{page}"' not in start]
    assert unlinked in ([], ["index.html"])


def test_the_reference_is_made_from_the_code(site):
    page = (site / "reference.html").read_text(encoding="utf-8")
    for name in ("run", "compare", "verify", "tune", "serve"):
        assert f">bakeoff {name}<" in page
    assert "<code>--keep-sealed</code>" in page
    for name in ("bakeoff.run", "bakeoff.Study", "Result.plot_all_curves", "Classifier.fit"):
        assert f">{name}<" in page
    schema = json.loads((site / "recipe.schema.json").read_text(encoding="utf-8"))
    assert {"name", "data", "models"} <= set(schema["properties"])


def test_no_markup_is_left_as_text(site):
    """A block, list or table that Markdown did not take for one stands in a paragraph."""
    for path in site.rglob("*.html"):
        text = re.sub(r"<pre.*?</pre>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for paragraph in re.findall(r"<p>(.*?)</p>", text, re.DOTALL):
            assert not re.search(r"```|^\s*(- |\d+\. |\|)", paragraph, re.MULTILINE), path.name


def test_no_page_fetches_anything_from_elsewhere(site):
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        fetched = re.findall(r'<(?:script|img|iframe)[^>]*\bsrc="([^"]*)"', text)
        fetched += re.findall(
            r'<link[^>]*rel="(?:stylesheet|preload|icon)"[^>]*href="([^"]*)"', text
        )
        fetched += re.findall(
            r'<link[^>]*href="([^"]*)"[^>]*rel="(?:stylesheet|preload|icon)"', text
        )
        assert [each for each in fetched if re.match(r"(https?:)?//", each)] == [], path.name


def test_the_citation_and_the_templates_can_be_read():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == bakeoff.__version__
    assert cited["cff-version"] == "1.2.0"
    for path in (ROOT / ".github").rglob("*.yml"):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["name"], path


def test_the_readme_is_read_at_one_sitting():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 200
