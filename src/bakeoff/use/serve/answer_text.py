"""Predictions as the JSON of an answer, written into a form that is made once a model."""

import json
from collections.abc import Sequence

Unlike = bool | None  # whether an image is unlike training; None where that cannot be told
_WORDS = {True: "true", False: "false", None: "null"}


class AnswerText:
    """Writes answers.

    title : of the model that predicts
    class_names : in the order of the probabilities
    """

    def __init__(self, title: str, class_names: Sequence[str]) -> None:
        self._title = _json(title)
        self._names = [_json(name) for name in class_names]
        values = ",".join(f"{name.replace('%', '%%')}:%r" for name in self._names)
        self._form = (
            f'{{"class":%s,"probability":%r,"probabilities":{{{values}}},'
            '"unlike_training":%s,"centred":%s}'
        )

    def __call__(
        self,
        labels: Sequence[int],
        probabilities: Sequence[Sequence[float]],
        unlike: Sequence[Unlike],
        *,
        centred: bool,
    ) -> str:
        """Return what is answered, one prediction an image.

        labels : the class of each image; probabilities : of every class, rounded
        """
        predictions = [
            self._form % (self._names[label], row[label], *row, _WORDS[strange], _WORDS[centred])
            for label, row, strange in zip(labels, probabilities, unlike, strict=True)
        ]
        return f'{{"model":{self._title},"predictions":[{",".join(predictions)}]}}'


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
