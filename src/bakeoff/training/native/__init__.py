"""Convolution, pooling and dense layers in C++: built, loaded and called through XLA's FFI."""
