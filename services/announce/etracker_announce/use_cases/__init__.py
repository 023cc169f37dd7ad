"""What the announce service does: answer announces and scrapes."""
