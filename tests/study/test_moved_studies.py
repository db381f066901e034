"""Studies that are moved, with their data or without it, or sent to somebody else.

Oracle: the study as it was; whole messages. Cost: 4 s, most of it training four trials.
Run: pytest tests/study/test_moved_studies.py
"""

import re
import shutil
import zipfile

import pytest
import yaml

from bakeoff import recipe
from bakeoff.cli import main
from bakeoff.errors import StudyError
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.compare import compare
from bakeoff.study.create import prepare
from bakeoff.study.run import run
from bakeoff.study.verify import verify
from tests.helpers.jobs import Listener
from tests.helpers.small import BUILDER, mapping, write_npz

pytestmark = pytest.mark.usefixtures("module_home", "jobs_in_process")  # nothing here is looked at

MODELS = {"linear": {"layers": []}, "mine": {"python": "mine.py:build"}}


def write_project(folder):
    """Write data, a builder and the recipe that names both, as a user has them beside another."""
    folder.mkdir(parents=True)
    write_npz(folder / "leaves.npz")
    (folder / "mine.py").write_text(BUILDER)
    declared = mapping("leaves.npz", models=MODELS, baselines=["majority"], seeds=1)
    (folder / "recipe.yaml").write_text(yaml.safe_dump(declared))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project in which a study was carried out; read only."""
    project = write_project(tmp_path_factory.mktemp("made") / "ann" / "project")
    run(recipe.load(project / "recipe.yaml"), out=project / "studies" / "small")
    return project


@pytest.fixture
def project(made, tmp_path):
    """A copy of it elsewhere, the original being as good as gone: nothing names it."""
    return shutil.copytree(made, tmp_path / "bob" / "received")


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_in_a_study_says_where_it_was_made(made):
    study = made / "studies" / "small"
    place = str(made.parent).encode()
    for path, found in content(study).items():
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                found = b"".join(archive.read(name) for name in archive.namelist())
        assert place not in found, path
    kept = yaml.safe_load((study / "recipe.yaml").read_bytes())
    assert kept["data"] == {"npz": "../../leaves.npz"}
    assert kept["models"]["mine"]["python"] == "../../mine.py:build"
    assert StudyFolder(study).read_trial("mine", 0)["settings"]["python"] == "mine.py:build"


def test_a_project_that_moved_goes_on_as_if_it_had_not(project):
    study, listener = project / "studies" / "small", Listener()
    before = content(study)
    for declared in (project / "recipe.yaml", study / "recipe.yaml"):
        result = run(recipe.load(declared), out=study, watcher=listener)
        assert result.comparison.test_openings == 1
    assert listener.of("note") == listener.of("epoch") == []
    assert {path: each for path, each in content(study).items() if path in before} == before
    result = run(recipe.load(study / "recipe.yaml"), out=study, seeds=2, watcher=listener)
    assert sorted(set(listener.of("epoch"))) == ["linear seed 1", "mine seed 1"]
    checked = verify(StudyFolder(study))
    assert (checked.differences, checked.notes) == ((), ())


def test_two_people_write_the_same_study(made, tmp_path):
    other = write_project(tmp_path / "bob" / "else" / "leaves")
    study = StudyFolder(other / "studies" / "small")
    prepare(recipe.load(other / "recipe.yaml"), study, device="cpu")
    first = StudyFolder(made / "studies" / "small")
    assert study.recipe_file.read_bytes() == first.recipe_file.read_bytes()
    both = [each.read_study() for each in (first, study)]
    for one in both:
        del one["created"], one["environment"]
    assert both[0] == both[1]


def test_a_study_without_its_data_is_compared_shown_and_verified(made, tmp_path, capsys):
    study = shutil.copytree(made / "studies" / "small", tmp_path / "received" / "small")
    assert {m.name for m in compare([study]).comparison.models} == set(MODELS)
    assert verify(StudyFolder(study)).differences == ()
    for command in (
        ["compare", str(study), "--json"],
        ["report", str(study)],
        ["status", str(study)],
        ["verify", str(study)],
    ):
        assert main(command) == 0, capsys.readouterr().err
    assert str(made.parent) not in capsys.readouterr().out


def test_where_the_data_is_now_is_asked_and_told(project):
    study = project / "studies" / "small"
    (project / "leaves.npz").rename(project / "new.npz")
    known = StudyFolder(study).read_study()["data"]
    text = (
        f"{study}: expected the images it was begun with ({known['name']}, SHA-256 "
        f"{known['hash'][:12]}…), found nothing at {project / 'leaves.npz'}: put them there, or "
        f"write where they are into a copy of its recipe.yaml and run that with --out {study}"
    )
    before = content(study)
    declared = recipe.load(study / "recipe.yaml")
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        run(declared, out=study)
    assert main(["verify", str(study), "--retrain", "linear:0"]) == 2
    assert content(study) == before
    copied = (study / "recipe.yaml").read_text().replace("../../leaves.npz", "new.npz")
    copied = copied.replace("../../mine.py", "mine.py")
    (project / "copy.yaml").write_text(copied)
    listener = Listener()
    result = run(recipe.load(project / "copy.yaml"), out=study, watcher=listener)
    assert result.comparison.test_openings == 1
    assert listener.of("note") == listener.of("epoch") == []
    assert yaml.safe_load((study / "recipe.yaml").read_bytes())["data"]["npz"] == "../../new.npz"
