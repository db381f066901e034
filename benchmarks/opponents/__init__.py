"""What is measured: a script for each framework, run as processes of its own. See `child`."""
