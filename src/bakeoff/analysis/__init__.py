"""Saved predictions become verdicts: computing only, without Keras, from the folder alone."""
