"""Means of training curves over the seeds.

Oracle: two short histories by hand. Cost: nothing. Run: pytest tests/analysis/test_epoch_curves.py
"""

import numpy as np

from bakeoff.analysis.epoch_curves import curve


def test_curves_leave_out_what_is_not_finite_and_end_where_a_seed_ended():
    histories = (
        {"epoch": np.arange(3.0), "loss": np.array([3.0, 2.0, 1.0])},
        {"epoch": np.arange(2.0), "loss": np.array([5.0, np.nan])},
    )
    line = curve(histories, "loss")
    assert line.epochs.tolist() == [0, 1, 2]
    assert (line.mean.tolist(), line.low.tolist(), line.high.tolist()) == (
        [4, 2, 1],
        [3, 2, 1],
        [5, 2, 1],
    )
    empty = ({"epoch": np.arange(2.0), "loss": np.array([np.nan, np.inf])},)
    assert curve(empty, "loss") is None
    assert curve((), "loss") is None
