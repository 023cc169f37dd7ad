"""The domain's terms as types: infohashes, announce keys and their hashes, address prefixes, tiers."""
