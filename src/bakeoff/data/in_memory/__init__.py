"""Data sets from Python: arrays, frames, and what other libraries hold."""
