"""The process that opens announce's public port loads nothing that it could do without.

While a container is replaced, connections are refused until that process listens.
"""

import subprocess
import sys

HEAVY = {"fastapi", "uvicorn", "httpx", "asyncpg", "redis", "numpy", "prometheus_client"}


def test_the_process_that_opens_the_public_port_loads_no_framework_and_no_driver() -> None:
    code = "import sys, etracker_announce.replicas; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert HEAVY.isdisjoint(loaded)
