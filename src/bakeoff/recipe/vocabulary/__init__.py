"""The words of a recipe's models, named as in Keras 3: layers, optimizers, phases, training."""
