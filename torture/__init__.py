"""Bakeoff attacked: kills, faults, crowds, long runs; `python -m torture` prints the figures."""
