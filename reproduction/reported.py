"""What the five documents report, of one run each; shares of 1, losses as they print them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reported:
    """One model of a document.

    accuracy : on the test images, as the training cell prints it (or the text, where only it does)
    table : the same in the document's own final table, where it has one
    validation : the best validation accuracy that is reported
    working : False for a figure that the document's own output shows to be no result
    """

    model: str
    accuracy: float
    loss: float | None = None
    table: float | None = None
    validation: float | None = None
    working: bool = True


@dataclass(frozen=True)
class Document:
    """One document: its number is that of its recipes, notebook-<number> and honest-<number>."""

    number: str
    file: str
    data: str
    models: tuple[Reported, ...]

    @property
    def notebook(self) -> str:
        """The study that keeps the document's training."""
        return f"notebook-{self.number}"

    @property
    def honest(self) -> str:
        """The same models under Bakeoff's own protocol."""
        return f"honest-{self.number}"


DOCUMENTS = (
    Document(
        "000",
        "000_d15c0aeeddff142a.txt",
        "MNIST",
        (
            Reported("small-mlp", 0.9273, loss=0.2806),
            Reported("tuned-mlp", 0.9811, loss=0.0724),
        ),
    ),
    Document(
        "001",
        "001_7c2240e0e21e9a8c.txt",
        "MNIST",
        (
            Reported("dense", 0.9811),
            Reported("dense-dropout", 0.9839),
            Reported("cnn", 0.9917),
        ),
    ),
    Document(
        "002",
        "002_9dc5a505c58eb8fa.txt",
        "MNIST",
        (
            Reported("model-1", 0.8746, table=0.8752),
            Reported("model-2", 0.9762, table=0.9762),
            Reported("model-3", 0.9758, table=0.9705),
            Reported("model-4", 0.9817, table=0.9817),
            Reported("model-5", 0.9801, table=0.9801),
            Reported("model-6", 0.9721, table=0.9721),
            Reported("model-7", 0.9257, table=0.9247),
            Reported("model-8", 0.9855, table=0.9855),
            Reported("model-9", 0.9839, table=0.9839),
        ),
    ),
    Document(
        "003",
        "003_5a7daf6ca58e501f.txt",
        "Fashion-MNIST",
        (
            Reported("fashion-mlp", 0.893, validation=0.9024),
            Reported("fashion-cnn", 0.912, validation=0.9144),
        ),
    ),
    Document(
        "004",
        "004_64c0126d5bf05e2a.txt",
        "MNIST",
        (
            Reported("course-1", 0.9762, loss=0.1082),
            Reported("course-2", 0.9836, loss=0.0965),
            Reported("course-1-slow", 0.0892, loss=14.68, working=False),
            Reported("course-3", 0.9678, loss=0.1409),
        ),
    ),
)

DENSE_STRUGGLES = ("4", "5", "8")  # 001 on its model `dense`
CONFUSED_IN_FASHION = ("T-shirt/top", "Shirt")  # 003
CALLED_BEST = "model-8"  # 002's conclusion
EPOCHS_WATCHED = 100  # 001 trained so long, and chose the epoch by the test images


@dataclass(frozen=True)
class Challenge:
    """A network of ours beside the best of a data set's documents, in one study.

    aim : the accuracy it was to reach
    history : what was known when the aim was set and the network chosen
    """

    recipe: str
    model: str
    aim: float
    history: str = ""


CHALLENGES = (
    Challenge(
        "mnist-best",
        "compact-cnn",
        0.997,
        "When it was tested, on 2026-11-25, the aim was 99.50 %; the later one was set on "
        "2026-11-27, with this result known.",
    ),
    Challenge("mnist-mlp-best", "compact-mlp", 0.989),
    Challenge(
        "fashion-best",
        "compact-cnn",
        0.945,
        "An earlier network had been tested on 2026-11-25 (93.40 %, for an aim of 93.00 %). That "
        "was known when the aim of 94.50 % was set and this one was tuned.",
    ),
)
