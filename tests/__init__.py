"""Bakeoff's tests: a folder for each package, helpers, and attacks."""
