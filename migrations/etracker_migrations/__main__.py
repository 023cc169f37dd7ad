"""Bring the schema up to date, and say so."""

from etracker_migrations.upgrade import main

raise SystemExit(main())
