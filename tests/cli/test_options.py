"""What options take; tests/cli/test_commands.py refuses more in whole commands.

Oracle: whole lines. Cost: nothing. Run: pytest tests/cli/test_options.py
"""

import re

import pytest

from bakeoff.cli.options import whole, workers_option
from bakeoff.errors import UsageError


def test_a_whole_number_is_read():
    assert whole("--seeds")("12") == 12
    assert whole("--seeds")("-3") == -3  # whether it makes sense is not asked here


@pytest.mark.parametrize("text", ["many", "1.5", ""])
def test_anything_else_names_the_option(text):
    message = f"--seeds: expected a whole number, found {text!r}"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        whole("--seeds")(text)


def test_workers_are_so_many_of_something_at_a_time():
    option = workers_option("Settings")
    assert option.help == "Settings at a time."
    with pytest.raises(UsageError, match=r"^--workers: expected a whole number, found 'x'$"):
        option.parser("x")
