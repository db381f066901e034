"""What streams do with signs that their encoding lacks.

Oracle: by hand. Cost: under 1 s. Run: pytest tests/cli/test_streams.py
"""

from bakeoff.cli.streams import SPELLED


def test_signs_that_an_encoding_lacks_are_spelled():
    """A "?" for ▲ or ▼, or the other's word, would be another verdict."""
    assert "−–▲▼≈→…×≥≤’·±".encode("ascii", SPELLED) == b"--betterworse~->...x>=<='.+-"
