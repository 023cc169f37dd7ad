"""Swarm simulation: what a selection policy does to the people of a swarm."""
