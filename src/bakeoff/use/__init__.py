"""Using the winner: predict new images, export it, serve it, or leave with a plain Keras script."""
