"""What a study will take: layers, shapes, seconds and bytes, before anything is trained."""
