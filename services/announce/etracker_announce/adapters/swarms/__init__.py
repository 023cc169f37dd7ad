"""The swarms and the fact stream in Redis.

``announce.lua`` and ``sweep.lua`` are the swarms, with ``tables.lua`` and ``change.lua`` in them; ``commands``
packs what they take and parses what they return; ``single`` and ``cluster`` carry commands to Redis; ``batches``,
``sweeper`` and ``stream`` decide when. ``swarms`` puts them together.
"""

from etracker_announce.adapters.swarms.swarms import RedisSwarms, connect_swarms

__all__ = ["RedisSwarms", "connect_swarms"]
