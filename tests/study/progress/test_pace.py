"""Time left, against simulated runs whose length is known.

Oracle: the simulation. Cost: 1 s.

Run: pytest tests/study/progress/test_pace.py
"""

import pytest

from bakeoff.study.planning.cost import makespan
from bakeoff.study.progress import pace as pace_module
from bakeoff.study.progress.pace import Pace
from bakeoff.utils.events import Planned

FAST, SLOW = 1.0, 6.0  # seconds an epoch


def simulate(pace, jobs, lengths, *, workers, delay):
    """Carry `jobs` out as the pool does; yield (now, the true time left) after every epoch."""
    events = []
    free = [0.0] * workers
    for job in jobs:
        worker = free.index(min(free))
        begin = free[worker]
        ends = [begin + delay + (k + 1) * lengths[job.label] for k in range(job.epochs)]
        events += [(begin, 0, job.label), *((end, 1, job.label) for end in ends)]
        events.append((ends[-1], 2, job.label))
        free[worker] = ends[-1]
    for now, kind, label in sorted(events, key=lambda event: (event[0], -event[1])):
        if kind == 0:
            pace.started(label, now)
        elif kind == 1:
            pace.epoch(label, now)
            yield now, max(free) - now
        else:
            pace.finished(label)


def jobs_and_lengths():
    jobs = [Planned(f"slow seed {seed}", 10, 600.0, model="slow") for seed in range(4)]
    jobs += [Planned(f"fast seed {seed}", 20, 200.0, model="fast") for seed in range(5)]
    lengths = {job.label: SLOW if job.label.startswith("slow") else FAST for job in jobs}
    return jobs, lengths


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_time_left_is_right_once_a_few_epochs_are_over(workers):
    jobs, lengths = jobs_and_lengths()
    pace = Pace(jobs)
    seen = [
        (pace.seconds_left(now), true)
        for now, true in simulate(pace, jobs, lengths, workers=workers, delay=2.0)
    ]
    assert [guess for guess, _ in seen[: min(workers, 2)]] == [None] * min(workers, 2)
    known = [(guess, true) for guess, true in seen if guess is not None]
    assert len(known) > 100
    for guess, true in known:
        assert guess == pytest.approx(true, rel=0.02, abs=2)


def test_of_thousands_of_jobs_only_the_sums_are_looked_at(monkeypatch):
    """At 10,000 trials each line took as long as the list of all trials is."""
    jobs = [Planned(f"slow seed {seed}", 4, 240.0, model="slow") for seed in range(300)]
    jobs += [Planned(f"fast seed {seed}", 4, 40.0, model="fast") for seed in range(700)]
    lengths = {job.label: SLOW if job.label.startswith("slow") else FAST for job in jobs}
    laid_out = []

    def counted(lasting, **more):
        lasting = list(lasting)
        laid_out.append(len(lasting))
        return makespan(lasting, **more)

    monkeypatch.setattr(pace_module, "makespan", counted)
    pace = Pace(jobs)
    for now, true in simulate(pace, jobs, lengths, workers=4, delay=0.5):
        guess = pace.seconds_left(now)
        assert guess is None or guess == pytest.approx(true, rel=0.02, abs=5)
    assert max(laid_out) == 200
    assert (pace.share, pace.done) == (pytest.approx(1), 1000)


def test_epochs_that_are_heard_together_share_their_time():
    """A cluster's node is asked once a second."""
    pace = Pace([Planned("a seed 0", 100, 1.0)])
    pace.started("a seed 0", 0.0)
    for second in (1, 2, 3, 4):
        for number in range(10):
            pace.epoch("a seed 0", second + number * 1e-5)
    assert pace.seconds_left(4.0) == pytest.approx(6.0, rel=0.02)


def test_wrong_costs_matter_only_until_a_model_is_seen():
    jobs, lengths = jobs_and_lengths()
    lengths = {label: 3 * s if label.startswith("fast") else s for label, s in lengths.items()}
    pace = Pace(jobs)
    seen = [
        (pace.seconds_left(now), true)
        for now, true in simulate(pace, jobs, lengths, workers=2, delay=2.0)
    ]
    assert seen[5][0] == pytest.approx(seen[5][1], rel=0.5)
    for guess, true in seen[45:]:
        assert guess == pytest.approx(true, rel=0.02, abs=2)


def test_a_trial_that_goes_on_from_a_checkpoint_does_not_look_fast():
    pace = Pace([Planned("cnn seed 0", 100, 1.0)])
    pace.started("cnn seed 0", 0.0)
    pace.resumed("cnn seed 0", 50)
    assert pace.epochs("cnn seed 0") == (50, 100)
    assert pace.seconds_left(3.0) is None
    pace.epoch("cnn seed 0", 5.0)  # compiled, too
    for number in range(1, 3):
        pace.epoch("cnn seed 0", 5.0 + 2 * number)
    assert pace.seconds_left(9.0) == pytest.approx(47 * 2)
    assert pace.share == pytest.approx(0.53)


def test_a_long_first_epoch_is_an_estimate_already():
    pace = Pace([Planned("cnn seed 0", 5, 1.0)])
    pace.started("cnn seed 0", 0.0)
    pace.epoch("cnn seed 0", 30.0)
    assert pace.seconds_left(30.0) == pytest.approx(120)
    pace.epoch("cnn seed 0", 55.0)
    assert pace.seconds_left(55.0) == pytest.approx(75)


def test_a_first_epoch_that_is_shorter_than_another_models_start_tells_nothing():
    """As of two settings of a search: the first took long to compile."""
    pace = Pace([Planned("cnn setting 0", 4, 10.0), Planned("cnn setting 1", 4, 5.0)])
    pace.started("cnn setting 0", 0.0)
    for now in (60.0, 70.0, 80.0, 90.0):  # 50 s to compile
        pace.epoch("cnn setting 0", now)
    pace.finished("cnn setting 0")
    pace.started("cnn setting 1", 90.0)
    pace.epoch("cnn setting 1", 115.0)
    assert pace.seconds_left(115.0) == pytest.approx(3 * 5)  # by its share of the costs


def test_a_job_of_other_epochs_than_were_planned_counts_as_it_is():
    """A setting of a search that also chooses the epochs: "epoch 30 of 5" stood there."""
    pace = Pace([Planned("cnn setting 0", 5, 1.0), Planned("cnn setting 1", 5, 1.0)])
    pace.planned(Planned("cnn setting 0", 10, 1.0))
    pace.started("cnn setting 0", 0.0)
    for now in range(1, 6):
        pace.epoch("cnn setting 0", float(now))
    assert pace.epochs("cnn setting 0") == (5, 10)
    assert pace.share == pytest.approx(0.25)
    assert pace.seconds_left(5.0) == pytest.approx(5 + 10)  # the other one as long as this one


def test_a_job_that_is_tried_once_more_begins_again():
    pace = Pace([Planned("cnn seed 0", 4, 1.0)])
    pace.started("cnn seed 0", 0.0)
    pace.epoch("cnn seed 0", 1.0)
    pace.started("cnn seed 0", 2.0)
    assert pace.epochs("cnn seed 0") == (0, 4)
    assert pace.share == 0


def test_a_job_that_is_lost_counts_no_longer():
    pace = Pace([Planned("cnn seed 0", 4, 1.0)])
    pace.started("cnn seed 0", 0.0)
    pace.lost("cnn seed 0")
    assert (pace.running, pace.total, pace.share, pace.seconds_left(1.0)) == ([], 0, 1.0, None)


def test_jobs_without_epochs_count_when_they_are_done():
    pace = Pace([Planned("logistic baseline", 0, 1.0), Planned("cnn seed 0", 2, 3.0)])
    pace.started("logistic baseline", 0.0)
    assert pace.share == 0
    pace.finished("logistic baseline")
    assert (pace.share, pace.done, pace.total) == (0.25, 1, 2)


def test_jobs_that_may_not_be_begun_any_more_are_not_waited_for():
    """A search of 1,000 settings in 30 seconds was said to take half an hour."""
    jobs = [Planned(f"m setting {k}", 4, 1.0, within=30.0) for k in range(1000)]
    pace = Pace(jobs)
    assert pace.to_do == "at most 1000" and Pace(jobs_and_lengths()[0]).to_do == "9"
    run = simulate(pace, jobs[:20], dict.fromkeys((job.label for job in jobs), 0.5), workers=1,
                   delay=0.0)  # fmt: skip
    left = [(pace.seconds_left(now), now) for now, _ in run if now <= 30]
    for found, now in left[8:]:
        assert 30 - now <= found <= 30 - now + 3  # what is begun before that ends after it
    assert pace.seconds_left(31.0) < 3  # of the one that was at work when the time was over
    finished = Pace([Planned("m setting 0", 4, 1.0, within=30.0)])
    assert finished.seconds_left(0.0) is None
