"""Image files as pixels: told by their content, judged before they are decoded."""
