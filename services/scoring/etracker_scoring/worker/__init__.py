"""The worker: turns the facts that announce writes to Redis into statistics and scores, each exactly once."""
