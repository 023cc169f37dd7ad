"""Swarm simulation: how selection policies affect the people of a swarm."""
