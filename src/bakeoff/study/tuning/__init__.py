"""Searches: settings are drawn, tried on validation images, and one is chosen."""
