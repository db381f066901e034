"""Compare small image classifiers honestly."""
