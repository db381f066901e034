"""Opening the test set: when, with which trials, and what is said while it is sealed."""
