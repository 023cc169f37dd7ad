"""What runs by the clock, once over all workers."""
