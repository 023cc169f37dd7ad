"""How requests come in: announces and scrapes straight from the connection, everything else through FastAPI."""
