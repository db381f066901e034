"""Parts of a data set that look like each other's negatives: white on black, black on white.

Networks trained on the one fail on the other, whatever they have learned.
"""

import numpy as np

from bakeoff.data.dataset import DataSet, own_parts

_SAMPLE = 500  # images of a part, evenly spread
_APART = 0.25  # of white, between the mean brightness of one part and of the other
_NEAR = 0.1  # of white, between one part's mean and that of the other's negative


def notes_on_negatives(data: DataSet) -> tuple[str, ...]:
    """Return a note for every part that looks like the training part's negative.

    A part's brightness is the mean of its pixels, in [0, 1].
    """
    bright = {}
    for part, positions in own_parts(data).items():
        if len(positions):
            some = positions[:: -(-len(positions) // _SAMPLE)]
            bright[part] = float(data.images[some].mean(dtype=np.float64)) / data.maximum
    usual = bright.pop("train", None)
    return tuple(
        f"the {part} part looks like a negative of the training part: its mean brightness is "
        f"{mean:.2f} of white, that of training {usual:.2f}; were colours inverted in one of them?"
        for part, mean in bright.items()
        if usual is not None and abs(mean - usual) > _APART and abs(1 - mean - usual) < _NEAR
    )
