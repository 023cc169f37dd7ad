"""What the scoring service answers."""
