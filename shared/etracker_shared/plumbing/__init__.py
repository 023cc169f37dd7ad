"""What every service needs: settings, logs, health, serving, background work, connections to Postgres and Redis."""
