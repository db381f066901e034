"""How fast a study of small networks trains: Bakeoff beside Keras, PyTorch and scikit-learn.

`make bench` (or `python -m benchmarks`) measures and writes docs/benchmarks.md and
docs/benchmarks.json. It uses Bakeoff as anybody would; nothing in Bakeoff knows of it.
"""
