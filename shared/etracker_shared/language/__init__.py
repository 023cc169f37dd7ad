"""Words of the field as types: infohashes, announce keys and their hashes, address prefixes, tiers."""
