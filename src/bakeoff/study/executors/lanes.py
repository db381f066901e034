"""Trials of a model that train together in one program on a GPU: how many, and which."""

from collections.abc import Sequence

from bakeoff.recipe import Recipe
from bakeoff.study.executors.interface import Job
from bakeoff.study.jobs.job import TrainJob
from bakeoff.study.jobs.multi_trial_job import MultiTrialJob

LANES = 32


def lanes_of(recipe: Recipe) -> int:
    """Return how many lanes a GPU's program has: the seeds' number as a power of two, up to LANES.

    So a study that was interrupted, or a trial that is verified, uses the same program again.
    """
    return int(min(LANES, 2 ** (len(recipe.seeds) - 1).bit_length()))


def joins(job: TrainJob) -> bool:
    """Say whether a trial may train with others of its model in one program.

    In cross-validation each trains alone, since every fold has other images; so do the settings of
    a search, each of which is another network.
    """
    return job.fold is None and job.called == ""


def together(jobs: Sequence[Job], lanes: int) -> list[Job]:
    """Return jobs with the trials of each model as programs of at most `lanes` trials."""
    trials: dict[str, list[TrainJob]] = {}
    found: dict[str, Job] = {}
    for job in jobs:
        if lanes > 1 and isinstance(job, TrainJob) and joins(job):
            of_model = trials.setdefault(job.model, [])
            of_model.append(job)
            first = (len(of_model) - 1) // lanes * lanes
            found[of_model[first].label] = MultiTrialJob(tuple(of_model[first:]), lanes)
        else:
            found[job.label] = job
    return list(found.values())
