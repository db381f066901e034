"""Attacks: hostile input, kills, full disks, damaged files, crowds."""
