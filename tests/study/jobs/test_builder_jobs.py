"""Python builders are tried before anything is trained.

Oracle: the study's folder after a run that a bad builder stops. Cost: 5 s.
Run: pytest tests/study/jobs/test_builder_jobs.py
"""

import pytest

from bakeoff.errors import RecipeError
from bakeoff.recipe import parse
from bakeoff.study.jobs.builder_jobs import BuilderJob, builder_jobs
from tests.helpers.small import carry_out

BUILDERS = """
import keras


def good(shape, n):
    layers = [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(n, "softmax")]
    return keras.Sequential(layers)


def bad(shape, n):
    raise ValueError("no")
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(BUILDERS)
    return path


def models(file, *names):
    declared = {name: {"python": f"{file}:{name}"} for name in names} | {"plain": {"layers": []}}
    raw = {"name": "x", "data": "digits", "models": declared}
    return [*parse(raw, origin="x.yaml", folder=file.parent).models.values()]


@pytest.mark.usefixtures("its_jobs_in_process")
def test_a_bad_builder_stops_a_run_before_anything_is_trained(npz, file, tmp_path):
    """The trials of all builders before it were trained first."""
    declared = {name: {"python": f"{file}:{name}"} for name in ("good", "bad")}
    with pytest.raises(RecipeError, match=r"bad raised ValueError: no$"):
        carry_out(npz, tmp_path / "study", models=declared)
    assert not list((tmp_path / "study" / "trials").rglob("*.json"))


def test_there_is_a_job_for_each_builder_and_none_for_a_single_model(file):
    good, bad, plain = models(file, "good", "bad")
    jobs = [job for _, job in builder_jobs([good, good, bad, plain], (8, 8, 1), 10)]
    assert [job.label for job in jobs] == ["good's builder", "bad's builder"]
    assert all(job.runs_user_code for job in jobs)
    assert [planned.label for planned, _ in builder_jobs([good, plain], (8, 8, 1), 10)] == [
        "good's builder"
    ]
    assert builder_jobs([good, good], (8, 8, 1), 10) == []  # its first trial tries it
    assert builder_jobs([plain, plain], (8, 8, 1), 10) == []


def test_a_job_leaves_nothing_behind(file):
    job = BuilderJob("good", f"{file}:good", (8, 8, 1), 10)
    job.run(lambda _: None)
    assert [*job.reads(), *job.writes(), *job.keeps()] == []
    with job.claimed() as todo:
        assert todo
