"""Names of the deployment's secrets, the rows of the table ``secrets``."""

PAIR_SECRET = "pair"  # noqa: S105 - a name, not the secret
"""The key of the pair hash in peer selection (32 bytes). The first migration generates it."""
