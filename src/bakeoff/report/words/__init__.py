"""What every view of a comparison says, in plain text: whoever shows it escapes it."""
