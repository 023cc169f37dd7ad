"""The scoring service: an API that judges keys by their history, and a worker that turns facts into history."""
