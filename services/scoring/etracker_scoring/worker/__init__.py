"""The worker: turns the facts that announce left in Redis into statistics and scores, each exactly once."""
