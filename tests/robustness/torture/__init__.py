"""Bakeoff attacked: kills, faults, crowds, long runs; `make torture` prints the figures."""
