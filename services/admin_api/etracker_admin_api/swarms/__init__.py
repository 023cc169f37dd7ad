"""The peers of a swarm, for operators."""
