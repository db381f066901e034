"""An answer's text, read back as JSON.

Oracle: Python's own json. Cost: nothing. Run: pytest tests/use/serve/test_answer_text.py
"""

import json

from bakeoff.use.serve.answer_text import AnswerText

NAMES = ("0", 'say "so"', "100 %", "50 %r\n", "größer →")


def test_what_is_answered():
    rows = [[0.1, 0.2, 0.000001, 0.699999, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0], [0.2] * 5]
    text = AnswerText('cnn "a", seed 3', NAMES)([3, 0, 4], rows, [True, False, None], centred=True)
    answer = json.loads(text)
    assert list(answer) == ["model", "predictions"]
    assert answer["model"] == 'cnn "a", seed 3'
    assert answer["predictions"] == [
        {
            "class": NAMES[label],
            "probability": row[label],
            "probabilities": dict(zip(NAMES, row, strict=True)),
            "unlike_training": strange,
            "centred": True,
        }
        for label, row, strange in zip([3, 0, 4], rows, [True, False, None], strict=True)
    ]


def test_the_class_is_what_was_predicted_where_rounding_makes_two_equal():
    text = AnswerText("cnn", ("a", "b"))([1], [[0.5, 0.5]], [None], centred=False)
    (one,) = json.loads(text)["predictions"]
    assert (one["class"], one["unlike_training"], one["centred"]) == ("b", None, False)
