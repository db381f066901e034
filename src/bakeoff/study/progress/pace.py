"""How far a stage of a study is, and how long it still takes; times are given, never taken."""

import math
import statistics
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bakeoff.study.planning.cost import makespan
from bakeoff.utils.events import Planned
from bakeoff.utils.text import duration

_LONG = 20.0  # seconds; a first epoch this long tells something, though it was compiled, too
_REMEMBERED = 9  # epochs whose lengths are remembered for each model
_TOGETHER = 0.002  # seconds; heard so soon after another, it came with it from a cluster's node
_LAID_OUT = 200  # jobs; of more that wait, the sum of their lengths tells as much


@dataclass
class _Length:
    """How long some epochs took together."""

    seconds: float
    epochs: int = 1


@dataclass
class _Job:
    planned: Planned
    index: int
    epochs: int = 0  # done
    resumed: int = 0  # of them, by a run before this one
    began: float | None = None
    heard: float = 0.0  # when the last epoch ended
    last: _Length | None = None  # of its epochs
    done: bool = False

    @property
    def kind(self) -> str:
        """What it has in common with jobs that take as long: their model, or else its label."""
        return self.planned.model or self.planned.label

    @property
    def share(self) -> float:
        if self.done:
            return 1.0
        return min(self.epochs / self.planned.epochs, 1.0) if self.planned.epochs else 0.0


@dataclass(frozen=True)
class _Speed:
    """How long jobs take.

    lengths : seconds of an epoch of each model that was seen
    rate : seconds per unit of cost of the others, the geometric mean over the models seen
    delay : seconds that a trial's first epoch takes longer than its others
    """

    lengths: Mapping[str, float]
    rate: float
    delay: float

    def whole(self, job: _Job) -> float:
        """Return how long a job takes from its start."""
        if job.kind in self.lengths:
            return self.delay + self.lengths[job.kind] * job.planned.epochs
        return self.delay + self.rate * job.planned.cost

    def left(self, job: _Job, now: float) -> float:
        """Return how long a job that has begun still takes."""
        if not job.epochs:
            return max(self.whole(job) - (now - job.heard), 0.0)
        other = self.rate * job.planned.cost / job.planned.epochs
        length = self.lengths.get(job.kind, other)
        return max(length * (job.planned.epochs - job.epochs) - (now - job.heard), 0.0)


class Pace:
    """How far a stage is, and the seconds left of it; every time is given, none is taken.

    The length of a model's epochs is the median of the last few; that of a model not seen yet
    follows from its share of the costs. What is left is then laid out over as many workers as were
    seen at work at once, so a long trial that begins last counts for what it is.
    """

    def __init__(self, jobs: Sequence[Planned]) -> None:
        self._jobs = {job.label: _Job(job, index) for index, job in enumerate(jobs)}
        # Kept up to date, so that no line costs more where there are ten thousand jobs.
        self._waiting = dict(self._jobs)
        self._alike = Counter(map(_alike, jobs))
        self._planned = {job.kind: job.planned for job in self._jobs.values()}
        self._cost = sum(job.cost for job in jobs)
        self._done_cost = 0.0
        self._lengths: dict[str, deque[_Length]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))
        self._firsts: deque[tuple[str, float]] = deque(maxlen=_REMEMBERED)  # epochs, start included
        self._workers = 1
        self._within = min((j.within for j in jobs if j.within is not None), default=None)
        self._began: float | None = None
        self._done: set[str] = set()
        self._running: set[str] = set()

    @property
    def total(self) -> int:
        """The number of jobs."""
        return len(self._jobs)

    @property
    def to_do(self) -> str:
        """The number of jobs, in words: of some, nobody knows whether they are begun."""
        return f"{'' if self._within is None else 'at most '}{self.total}"

    @property
    def done(self) -> int:
        """The number of jobs that are done."""
        return len(self._done)

    @property
    def running(self) -> list[str]:
        """The labels of the jobs that somebody is at."""
        return sorted(self._running, key=lambda label: self._jobs[label].index)

    @property
    def share(self) -> float:
        """The share of the work that is done, in [0, 1]."""
        if not self._jobs or not self._cost:
            return 1.0
        begun = (self._jobs[label] for label in self._running)
        done = self._done_cost + sum(job.share * job.planned.cost for job in begun)
        return min(done / self._cost, 1.0)

    def epochs(self, label: str) -> tuple[int, int]:
        """Return how many epochs of a job are done, and of how many."""
        job = self._jobs[label]
        return job.epochs, job.planned.epochs

    def seconds(self, label: str, now: float) -> float:
        """Return how long somebody has been at a job."""
        began = self._jobs[label].began
        return 0.0 if began is None else now - began

    def planned(self, planned: Planned) -> None:
        """Take note of what a waiting job will be; its cost stays."""
        job = self._jobs[planned.label]
        self._alike[_alike(job.planned)] -= 1
        job.planned = self._planned[job.kind] = replace(planned, cost=job.planned.cost)
        self._alike[_alike(job.planned)] += 1

    def started(self, label: str, now: float) -> None:
        """Take note that a job begins, perhaps once more."""
        self._began = now if self._began is None else self._began
        job = self._jobs[label]
        job.epochs, job.resumed, job.began, job.heard, job.last = 0, 0, now, now, None
        self._running.add(label)
        self._take(label)
        self._workers = max(self._workers, len(self._running))

    def epoch(self, label: str, now: float) -> None:
        """Take note of an epoch's end."""
        job = self._jobs[label]
        length, first = now - job.heard, job.epochs == job.resumed
        job.epochs, job.heard = job.epochs + 1, now
        if first:
            self._firsts.append((job.kind, length))
        elif length >= _TOGETHER:
            job.last = _Length(length)
            self._lengths[job.kind].append(job.last)
        elif job.last is not None:
            job.last.epochs += 1

    def resumed(self, label: str, epochs: int) -> None:
        """Take note that a job goes on from a checkpoint after so many epochs."""
        job = self._jobs[label]
        job.epochs = job.resumed = epochs

    def finished(self, label: str) -> None:
        """Take note that a job is done."""
        job = self._jobs[label]
        if not job.done:
            job.done, self._done_cost = True, self._done_cost + job.planned.cost
        self._done.add(label)
        self._running.discard(label)
        self._take(label)

    def lost(self, label: str) -> None:
        """Take a job out: nobody will do it."""
        self._take(label)
        cost = self._jobs.pop(label).planned.cost
        self._cost -= cost
        self._done_cost -= cost if label in self._done else 0.0
        self._running.discard(label)
        self._done.discard(label)

    def _take(self, label: str) -> None:
        """Take note that a job waits no longer."""
        job = self._waiting.pop(label, None)
        if job is not None:
            self._alike[_alike(job.planned)] -= 1

    def seconds_left(self, now: float) -> float | None:
        """Return how long the stage still takes; None while nothing is known."""
        speed = self._speed()
        if speed is None:
            return None
        busy = [speed.left(self._jobs[label], now) for label in self.running]
        left = self._all_left(speed, busy)
        another = next(iter(self._waiting.values()), None)
        if self._within is None or self._began is None or another is None:
            return left
        rest = self._began + self._within - now
        last = rest + speed.whole(another) if rest > 0 else 0.0
        return min(left, max([last, *busy]))

    def time_left(self, now: float) -> str:
        """Return how long the stage still takes in words; "" while nobody knows, or at its end."""
        left = self.seconds_left(now)
        return "" if left is None or left < 0.5 else f"about {duration(left, rough=True)} left"

    def _speed(self) -> _Speed | None:
        """Return how long jobs take by what was seen so far; None while that is nothing."""
        lengths = {
            kind: statistics.median(each.seconds / each.epochs for each in seen)
            for kind, seen in self._lengths.items()
            if seen
        }
        delays = [first - lengths[kind] for kind, first in self._firsts if kind in lengths]
        delay = max(min(delays, default=0.0), 0.0)
        for kind, first in self._firsts:
            if first - delay > _LONG:
                lengths.setdefault(kind, first - delay)
        if not lengths:
            return None
        ratios = [
            length * self._planned[kind].epochs / self._planned[kind].cost
            for kind, length in lengths.items()
        ]
        rate = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))
        return _Speed(lengths, rate, delay)

    def _all_left(self, speed: _Speed, busy: list[float]) -> float:
        if len(self._waiting) <= _LAID_OUT:
            lasting = map(speed.whole, self._waiting.values())
            return makespan(lasting, workers=self._workers, busy=busy)
        several = (
            count * speed.whole(_Job(planned, 0)) for planned, count in self._alike.items() if count
        )
        return max([*busy, (sum(several) + sum(busy)) / self._workers])


def _alike(planned: Planned) -> Planned:
    """Return what a job has in common with those that take exactly as long."""
    return replace(planned, label="") if planned.model else planned
