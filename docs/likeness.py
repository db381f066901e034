"""The figures of docs/using.md: how often the measure of likeness is wrong, and what it finds."""

import numpy as np

from bakeoff import data
from bakeoff.study.winner.training_profile import measure

for name in data.NAMES:
    loaded = data.load(name)
    count = loaded.test_start or 1400
    places, cut = np.arange(count), count * 4 // 5
    profile = measure(loaded, places[:cut], places[cut:])
    test = loaded.images[count : count + 2000]
    noise = np.random.default_rng(0).integers(0, int(loaded.maximum) + 1, test.shape)
    others = {
        "test images": test,
        "inverted": (loaded.maximum - test).astype(test.dtype),
        "noise": noise.astype(test.dtype),
        "blank": np.zeros_like(test[:1]),
        "rotated by 90 degrees": np.rot90(test, 1, (1, 2)),
    }
    print(f"{name}: {profile.false_alarms}")  # noqa: T201
    for words, images in others.items():
        print(f"  {words}: {profile.unlike(images).mean():.1%} marked")  # noqa: T201
