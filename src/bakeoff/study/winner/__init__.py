"""A trained model in use: retrained or shipped, loaded back, predicting pictures."""
