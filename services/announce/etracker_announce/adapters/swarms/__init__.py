"""The swarms and the fact stream in Redis.

``announce.lua`` and ``sweep.lua`` implement the swarms; both include ``tables.lua`` and ``addresses.lua``, and the
former also ``change.lua``. ``commands`` packs the scripts' arguments and parses their replies. ``single`` and
``cluster`` send commands to Redis; ``batches``, ``sweeper`` and ``stream`` decide when. ``swarms`` puts all of these
together.
"""

from etracker_announce.adapters.swarms.swarms import RedisSwarms, connect_swarms

__all__ = ["RedisSwarms", "connect_swarms"]
