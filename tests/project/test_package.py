"""The wheel, built and installed elsewhere: an editable install hides what was left out of it.

Oracle: the files in src/bakeoff, and a study run from the installed copy, outside the checkout.
Cost: 30 s, most of it the study. Run: pytest tests/project/test_package.py
"""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bakeoff.training.native import build
from bakeoff.utils.user_paths import program_cache

ROOT = Path(__file__).parents[2]
NATIVE_SOURCE = ("training", "native", "src")
NATIVE_LIBRARY = ("training", "native", "lib")
RECIPE = """\
name: tiny
data: digits
seeds: 2
training: {epochs: 2}
baselines: [majority]
models:
  small: {layers: [{dense: 8}]}
  large: {layers: [{dense: 16}]}
"""


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    (path,) = folder.glob("bakeoff-*-py3-none-*.whl")
    return path


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """Return a run(*arguments) of Python with the wheel installed, in a folder of its own."""
    site = tmp_path_factory.mktemp("site")
    pip("install", "--no-deps", "--no-index", "--target", site, wheel)
    home = tmp_path_factory.mktemp("home")
    if (programs := program_cache()) is not None:  # compiled by earlier runs
        programs.mkdir(parents=True, exist_ok=True)
        (home / "bakeoff").mkdir()
        (home / "bakeoff" / "programs").symlink_to(programs)
    folders = {name: str(home) for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    environment = {**os.environ, **folders, "PYTHONPATH": str(site)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=home, env=environment)

    run.site, run.home = site, home
    return run


def printed(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_every_file_of_the_package(wheel):
    source = ROOT / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in (source / "bakeoff").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        if path.relative_to(source).parts[1:4] not in (NATIVE_SOURCE, NATIVE_LIBRARY)
    }
    if build.compiler() and build.variants(build.machine()):
        names = (*(f"{name}.so" for name in build.variants(build.machine())), build.MANIFEST)
        expected |= {"/".join(("bakeoff", *NATIVE_LIBRARY, name)) for name in names}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        (license_text,) = (n for n in archive.namelist() if n.endswith("licenses/LICENSE"))
        assert archive.read(license_text) == (ROOT / "LICENSE").read_bytes()
    assert held == expected


def test_the_shipped_recipes_are_found(elsewhere):
    code = (
        "import bakeoff.recipe as recipe\n"
        "print(recipe.__file__, *[recipe.load(name).name for name in recipe.shipped()])"
    )
    file, *names = printed(elsewhere("-c", code)).split()
    assert Path(file).is_relative_to(elsewhere.site)
    assert names == sorted(
        path.stem for path in (ROOT / "src/bakeoff/recipe/shipped").glob("*.yaml")
    )


def test_the_report_is_made_from_the_package_alone(elsewhere):
    """Nothing of the report lies outside the package: its templates, styles and scripts."""
    code = (
        "from importlib.resources import files\n"
        "templates = files('bakeoff.report.page') / 'templates'\n"
        "print(*sorted(each.name for each in templates.iterdir()))"
    )
    names = printed(elsewhere("-c", code)).split()
    assert names == sorted(
        path.name for path in (ROOT / "src/bakeoff/report/page/templates").iterdir()
    )


def test_a_study_runs_from_recipe_to_report(elsewhere):
    (elsewhere.home / "tiny.yaml").write_text(RECIPE, encoding="utf-8")
    run = elsewhere("-m", "bakeoff", "run", "tiny.yaml", "--workers", "1", "--json")
    document = json.loads(printed(run))
    assert document["study"] == "tiny"
    assert {model["name"] for model in document["models"]} == {"small", "large"}
    study = elsewhere.home / "studies" / "tiny"
    assert "<!doctype html>" in (study / "report.html").read_text(encoding="utf-8").lower()
    assert (study / "openings" / "1" / "small" / "seed-0.npy").is_file()


def test_the_command_is_installed(elsewhere):
    command = elsewhere.site / "bin" / "bakeoff"
    version = printed(elsewhere(str(command), "--version"))
    assert version.split()[-1] == "0.2.0.dev0"
