"""Models that the user's own Python functions build, and what is refused or remarked of them."""
