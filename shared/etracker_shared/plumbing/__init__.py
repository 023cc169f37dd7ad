"""What every service runs on: settings, logs, health, serving, background work, connections to Postgres and Redis."""
