"""Convolution, normalization, pooling, dense layers in C++: built, loaded, called by XLA's FFI."""
