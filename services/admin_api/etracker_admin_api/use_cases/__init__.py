"""What the admin API does, apart from HTTP and from the databases."""
