"""What goes over the wire under /api/v1."""
