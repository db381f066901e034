"""The only code that imports Keras and JAX: a declared model becomes a trained one."""
