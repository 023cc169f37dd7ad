"""What every route shares: HTTP, apart from what any resource is about."""
