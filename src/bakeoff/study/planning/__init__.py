"""What a study will do and take: its stages, layers, shapes, seconds and bytes."""
