"""Errors: one line each, an exit code, nothing in them that moves a cursor.

Oracle: the tree at the top of errors.py. Cost: nothing. Run: pytest tests/test_errors.py
"""

import re

import pytest

from bakeoff import errors

KINDS = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, errors.BakeoffError)
]


def test_the_tree_is_the_one_that_is_drawn():
    drawn = re.findall(r"^([│├└─ ]*)(\w+)(?: +exit code (\d+))?", errors.__doc__, re.M)
    above, codes = {-1: errors.BakeoffError}, {}
    names = {kind.__name__: kind for kind in KINDS}
    for branch, name, code in drawn:
        if name in names:
            depth = len(branch) // 4
            if depth:
                assert names[name].__bases__ == (above[depth - 1],)
            above[depth] = names[name]
            codes[name] = int(code) if code else above[depth - 1].exit_code
    assert codes == {kind.__name__: kind.exit_code for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_message_is_one_line(kind):
    assert str(kind("expected a\n  file,\tfound \x1b[31mnone")) == (
        "expected a file, found \\x1b[31mnone"
    )


def test_a_notebook_shows_the_line_and_no_traceback(monkeypatch):
    monkeypatch.delenv("BAKEOFF_DEBUG", raising=False)
    error = errors.DataError("expected images, found none")
    assert error._render_traceback_() == ["DataError: expected images, found none"]
    monkeypatch.setenv("BAKEOFF_DEBUG", "1")
    assert error._render_traceback_()[-1].endswith("DataError: expected images, found none\n")


def test_names_from_strangers_cannot_turn_the_text_around():
    assert errors.printable("a\u202eb\x07é") == "a\\u202eb\\x07é"
