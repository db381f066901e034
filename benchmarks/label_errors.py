"""How many of MNIST's known label errors stand in a study's ranking of labels to look at.

`python -m benchmarks.label_errors STUDY…` prints the counts that docs/report.md quotes.
"""

import sys
from pathlib import Path

from bakeoff.analysis.compare import compare
from bakeoff.analysis.comparison import Comparison
from bakeoff.analysis.notable_images import label_ranking, lowest_loss
from bakeoff.storage.study_folder import StudyFolder

# Positions in MNIST's test part of labels that are wrong, as issue trackers and papers list them.
MNIST_ERRORS = (
    *(947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729),
)


def known_errors(comparison: Comparison) -> int:
    """Count those of the fifteen that are among the ranking's first hundred."""
    return len({*label_ranking(comparison)[:100].tolist()} & {*MNIST_ERRORS})


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        comparison = compare([StudyFolder(Path(folder))])
        found, best = known_errors(comparison), lowest_loss(comparison)
        sys.stdout.write(f"{comparison.study}: {found} of {len(MNIST_ERRORS)}, by {best.name}\n")
