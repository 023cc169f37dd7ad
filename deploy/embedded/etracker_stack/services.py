"""The services and the gateway as children: their settings and addresses."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from etracker_stack.child import Child, answers
from etracker_stack.environment import ADMIN_API, ANNOUNCE, GATEWAY, MIGRATE, SCORING, SCORING_WORKER, environment
from etracker_stack.programs import caddy_program
from etracker_stack.settings import WILDCARDS, StackSettings

GATEWAY_FILES = Path(__file__).parents[2] / "gateway"
FRONTEND = Path(__file__).parents[3] / "frontend" / "dist"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """The addresses of the processes. Each replica of announce has one port for the gateway and one for observation.

    ``public``: the descriptors of announce's public port, which all of its replicas inherit. ``gateway_observation``:
    the port of the gateway's metrics.
    """

    scoring: int
    scoring_workers: tuple[int, ...]
    admin_api: int
    announce: tuple[int, ...]
    observation: tuple[int, ...]
    public: tuple[int, ...]
    gateway_observation: int


def server_variables(postgres: PostgresSettings, redis: RedisSettings) -> dict[str, str]:
    """Return the variables with the addresses of Postgres and Redis."""
    return {
        "PGHOST": postgres.pghost,
        "PGPORT": str(postgres.pgport),
        "PGDATABASE": postgres.pgdatabase,
        "PGUSER": postgres.pguser,
        "PGPASSWORD": postgres.pgpassword.get_secret_value(),
        "ETRACKER_REDIS_URL": redis.redis_url,
        "ETRACKER_REDIS": redis.redis.get_secret_value(),
    }


def service_children(settings: StackSettings, ports: Ports, servers: Mapping[str, str], api_key: Path) -> list[Child]:
    """Return the services in the order in which they are started; they are stopped in reverse."""
    known = {
        **servers,
        **_addresses(ports),
        "ETRACKER_AUTHORIZATION_FILE": str(api_key),
        "ETRACKER_TRUSTED_PROXIES": _trusted_proxies(settings),
    }
    name = settings.frontend_hostname or f"localhost:{settings.backend_port}"
    inherited = {"ETRACKER_LISTEN_SOCKETS": "", "ETRACKER_PUBLIC_SOCKETS": " ".join(map(str, ports.public))}
    announcing = environment(ANNOUNCE, {**known, **inherited, "ETRACKER_FRONTEND_HOSTNAME": name})
    return [
        *(
            _service(name, "etracker_scoring.worker", environment(SCORING_WORKER, known), LOOPBACK, port)
            for name, port in zip(_worker_names(ports), ports.scoring_workers, strict=True)
        ),
        _service("scoring", "etracker_scoring", environment(SCORING, known), LOOPBACK, ports.scoring),
        _service("admin_api", "etracker_admin_api", environment(ADMIN_API, known), LOOPBACK, ports.admin_api),
        *(
            _announce(f"announce-{number}", announcing, ports.public, *both)
            for number, both in enumerate(zip(ports.announce, ports.observation, strict=True), start=1)
        ),
    ]


def _trusted_proxies(settings: StackSettings) -> str:
    """Return the networks whose headers services trust: the gateway's own address and the proxies in front of it."""
    return f"{settings.trusted_proxies},{settings.gateway_trusted_proxies}"


def _worker_names(ports: Ports) -> list[str]:
    """Return ``scoring_worker`` for a single worker, ``scoring_worker-1`` and so on for several."""
    workers = len(ports.scoring_workers)
    return [f"scoring_worker-{number}" for number in range(1, workers + 1)] if workers > 1 else ["scoring_worker"]


def _addresses(ports: Ports) -> dict[str, str]:
    """Return the variables with the addresses of the other services; for announce, those of its observation ports."""
    return {
        "ETRACKER_ANNOUNCE_URL": " ".join(f"http://{LOOPBACK}:{port}" for port in ports.observation),
        "ETRACKER_SCORING_URL": f"http://{LOOPBACK}:{ports.scoring}",
        "ETRACKER_WORKER_URL": " ".join(f"http://{LOOPBACK}:{port}" for port in ports.scoring_workers),
    }


def gateway_child(settings: StackSettings, ports: Ports, directory: Path) -> Child:
    """Return the gateway: Caddy, with the same configuration as in the compose file."""
    variables = {
        "ETRACKER_BACKEND_PORT": str(settings.backend_port),
        "ETRACKER_LISTEN_HOST": settings.listen_host,
        "ETRACKER_FRONTEND_HOSTNAME": settings.frontend_hostname,
        "ETRACKER_GATEWAY_UPSTREAMS": "static",
        "ETRACKER_GATEWAY_ANNOUNCE": " ".join(f"{LOOPBACK}:{port}" for port in ports.announce),
        "ETRACKER_GATEWAY_ADMIN_API": f"{LOOPBACK}:{ports.admin_api}",
        "ETRACKER_GATEWAY_FRONTEND": str(FRONTEND),
        "ETRACKER_GATEWAY_SOCKET": "admin.sock",
        "ETRACKER_GATEWAY_OBSERVATION_HOST": LOOPBACK,
        "ETRACKER_GATEWAY_OBSERVATION_PORT": str(ports.gateway_observation),
        "ETRACKER_GATEWAY_TRUSTED_PROXIES": settings.gateway_trusted_proxies,
        "XDG_DATA_HOME": str(directory),
        "XDG_CONFIG_HOME": str(directory),
        "HOME": str(directory),
    }
    address = f"{_bracketed(reachable(settings.listen_host))}:{settings.backend_port}"

    async def is_ready(_pid: int) -> bool:
        return await answers(f"http://{address}/healthz")

    return Child(
        name="gateway",
        command=("/bin/sh", GATEWAY_FILES / "gateway.sh", caddy_program(), GATEWAY_FILES / "Caddyfile"),
        is_ready=is_ready,
        environment=environment(GATEWAY, variables),
        directory=directory,
        address=address,
        observation=f"{LOOPBACK}:{ports.gateway_observation}",
    )


def migration_child(servers: Mapping[str, str]) -> Child:
    """Return the program that brings the schema up to date."""

    async def is_ready(_pid: int) -> bool:
        return True

    return Child(
        name="migrate",
        command=(sys.executable, "-m", "etracker_migrations"),
        is_ready=is_ready,
        environment=environment(MIGRATE, servers),
    )


def web_address(settings: StackSettings) -> str:
    """Return the tracker's URL: the last of the gateway's sites, which is the most secure one."""
    variables = {
        "ETRACKER_BACKEND_PORT": str(settings.backend_port),
        "ETRACKER_FRONTEND_HOSTNAME": settings.frontend_hostname,
    }
    script = ["/bin/sh", str(GATEWAY_FILES / "gateway.sh")]
    sites = subprocess.run(script, env=variables, check=True, capture_output=True, text=True).stdout
    site = sites.strip().rpartition(", ")[2]
    if site.startswith("https://"):
        return site
    name = settings.frontend_hostname.rpartition("://")[2].partition(":")[0] or "localhost"
    return f"http://{name}:{settings.backend_port}"


def announce_address(settings: StackSettings) -> str:
    """Return where announce URLs lead: announce's own port on plain HTTP, unless the operator prefers the gateway."""
    web = web_address(settings)
    if settings.direct_port is None or "https://" in (web[:8], settings.frontend_hostname[:8]):
        return web
    return f"{web.rpartition(':')[0]}:{settings.direct_port}"


def public_address(settings: StackSettings) -> str | None:
    """Return the address of announce's public port as seen from this machine; None if it is closed."""
    if not settings.announce_port:
        return None
    return f"{_bracketed(reachable(settings.announce_host))}:{settings.announce_port}"


async def fresh_announce_key(ports: Ports) -> str | None:
    """Ask the admin API for an announce key; None if it doesn't return one."""
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        try:
            answer = await client.get(f"http://{LOOPBACK}:{ports.admin_api}/api/generate")
            return str(answer.raise_for_status().json()["announce_key"])
        except (httpx.HTTPError, ValueError, KeyError):  # keys per address are limited, and restarts may be frequent
            return None


def reachable(host: str) -> str:
    """Return an address for connecting from this machine to a program that listens on ``host``."""
    return LOOPBACK if host in WILDCARDS else host


def _announce(
    name: str, variables: Mapping[str, str], sockets: tuple[int, ...], port: int, observation_port: int
) -> Child:
    observed = {"ETRACKER_OBSERVATION_HOST": LOOPBACK, "ETRACKER_OBSERVATION_PORT": str(observation_port)}
    observation = f"{LOOPBACK}:{observation_port}"
    return replace(
        _service(name, "etracker_announce", {**variables, **observed}, LOOPBACK, port, observation=observation),
        sockets=sockets,
    )


def _service(
    name: str, module: str, variables: Mapping[str, str], host: str, port: int, *, observation: str | None = None
) -> Child:
    listening = {"ETRACKER_LISTEN_HOST": host, "ETRACKER_LISTEN_PORT": str(port)}
    address = f"{_bracketed(reachable(host))}:{port}"

    async def is_ready(_pid: int) -> bool:
        return await answers(f"http://{observation or address}/healthz")

    return Child(
        name=name,
        command=(sys.executable, "-m", module),
        is_ready=is_ready,
        environment={**variables, **listening},
        address=address,
        observation=observation or address,
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
