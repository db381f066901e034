"""Data sets in folders of images: which are classes, which are parts, what is neither."""
