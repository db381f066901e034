"""Layers are compared with the weights of one of them: how those are drawn is no matter."""

import pytest


@pytest.fixture(autouse=True)
def _drawn_by_numpy(drawn_by_numpy):
    pass
