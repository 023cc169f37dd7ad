"""etracker's Postgres schema: ``python -m etracker_migrations`` brings it up to date."""
