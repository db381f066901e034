"""A trained model in use: shipped, loaded back, predicting pictures."""
