"""What both programs read from Postgres: keys, and what is measured over all of them."""
