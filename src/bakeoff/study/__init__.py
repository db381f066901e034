"""Carrying a study out: create, train, open the test set, compare."""
