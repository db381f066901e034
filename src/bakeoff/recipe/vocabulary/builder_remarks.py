"""What may be strange about a Python builder: codes, as trial.json has them, and what they mean."""

from collections.abc import Mapping

SCALES_AGAIN = "scales-again"
PIXELS_LOST = "pixels-lost"
SAME_START = "same-initial-weights"
SOME_SAME_START = "some-same-initial-weights"
SAME_DRAWS = "same-random-draws"
COMPILED = "compiled"
MEANINGS: Mapping[str, str] = {
    SCALES_AGAIN: "it scales pixels once more before its first weights; remove that",
    PIXELS_LOST: "its first weights get the same from every image; remove what comes before them",
    SAME_START: "every seed starts from the same weights: verdicts rest on one draw",
    SOME_SAME_START: "some layers start alike with every seed; remove seed=…",
    SAME_DRAWS: "some layers draw the same dropout or noise with every seed; remove their seed",
    COMPILED: "what it compiles is not used; the recipe's training says how it is trained",
}
