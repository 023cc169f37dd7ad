"""What etracker's services have in common.

Language: :mod:`~etracker_shared.identity` (announce keys, identities, infohashes, address prefixes).
Agreements: :mod:`~etracker_shared.tables` (Postgres), :mod:`~etracker_shared.redis_keys` (Redis),
:mod:`~etracker_shared.facts` (the stream), :mod:`~etracker_shared.tiers` (scoring's answer),
:mod:`~etracker_shared.notifications` (what Postgres tells listeners).
Plumbing: settings, logging, health, Postgres and Redis connections, serving.
"""
