"""From YAML, or a mapping, to a Recipe: every problem is noted with its place."""
