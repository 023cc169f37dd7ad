"""What the worker does, over and over."""
