"""Tests of two models with given numbers."""

from scipy import stats

from bakeoff.analysis.statistics import PairTest


def pair_of(
    difference: float,
    error: float,
    *,
    df: float = 30.0,
    n_images: int = 10_000,
    seeds: int = 9,
) -> PairTest:
    """Return a pair with these numbers, all of its variance between the seeds of A and B."""
    t = difference / error
    half = stats.t.isf(0.025, df) * error
    return PairTest(
        difference=difference,
        low=difference - half,
        high=difference + half,
        df=df,
        t=t,
        p=2 * stats.t.sf(abs(t), df),
        v1=0.0,
        between_seeds=(error**2 * seeds / 2, error**2 * seeds / 2),
        residual=(0.0, 0.0),
        n_images=n_images,
        seeds_a=seeds,
        seeds_b=seeds,
    )
