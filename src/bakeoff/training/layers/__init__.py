"""Keras's layers with faster insides, each equal to Keras's own; one file a kind of layer."""
