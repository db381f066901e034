"""Fixtures: a seeded generator, the bundled digits, MNIST where it is at hand."""

import numpy as np
import pytest

from bakeoff import data
from bakeoff.errors import ChecksumMismatch, DataError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def digits():
    return data.load("digits")


@pytest.fixture(scope="session")
def mnist():
    try:
        return data.load("mnist", offline=True)
    except ChecksumMismatch:
        raise
    except DataError as error:
        pytest.skip(f"MNIST is not at hand: {error}")
