"""Postgres and Redis, as the ports want them."""
