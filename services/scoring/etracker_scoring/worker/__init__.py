"""The worker: turns the facts that announce writes to Redis into statistics and scores, counting each exactly once."""
