"""Networks trained elsewhere, whose features a model starts from."""
