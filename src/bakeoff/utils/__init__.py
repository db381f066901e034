"""Text, the machine, events: what every other package may need."""
