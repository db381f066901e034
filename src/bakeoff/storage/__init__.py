"""The study's folder: files written whole, read back checked, and never rewritten."""
