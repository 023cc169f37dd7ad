"""The API: answers for announce and the admin API."""
