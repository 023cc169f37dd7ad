"""The environment of each process: ordinary variables and the settings that it reads, nothing else.

A secret in an environment can be read by every process of the same account, and is passed to every program
that the process starts. A name that ends in ``*`` matches all variables with that prefix. A test compares the
lists with the services' settings.
"""

import os
from collections.abc import Iterable, Mapping

ORDINARY = (
    *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "TZDIR", "LANG", "LANGUAGE", "LC_*"),
    *("LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)

_POSTGRES = (
    *("PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD"),
    *("PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGTARGETSESSIONATTRS", "PGKRBSRVNAME", "PGGSSLIB"),
    "PGSSL*",
)
_REDIS = ("ETRACKER_REDIS_URL", "ETRACKER_REDIS", "ETRACKER_REDIS_CLUSTER")
_PROGRAM = ("PYTHON*", "ETRACKER_LOG_LEVEL")
_SERVICE = (*_PROGRAM, *_POSTGRES, "ETRACKER_LISTEN_HOST", "ETRACKER_LISTEN_PORT")
_SCORES = ("ETRACKER_SCORE_*", "ETRACKER_RECALIBRATE")

MIGRATE = (*_PROGRAM, *_POSTGRES)
SCORING = (
    *(*_SERVICE, *_SCORES),
    *("ETRACKER_POLICY", "ETRACKER_INTERVAL_SECONDS", "ETRACKER_SCORING_CONNECTIONS", "ETRACKER_TIER_NOTICES"),
    "ETRACKER_DETECTION",
)
SCORING_WORKER = (
    *(*_SERVICE, *_REDIS, *_SCORES),
    *("ETRACKER_DISABLE_ALLOWLIST", "ETRACKER_FACT_RETENTION_DAYS", "ETRACKER_COUNTS_SYNC_SECONDS"),
    *("ETRACKER_INTERVAL_SECONDS", "ETRACKER_MAX_BYTES_PER_SECOND", "ETRACKER_NEW_PREFIX_DAYS"),
    *("ETRACKER_WORKER_BATCH_FACTS", "ETRACKER_WORKER_POLL_SECONDS", "ETRACKER_DETECTION"),
    "ETRACKER_ANOMALY_*",
)
ANNOUNCE = (
    *(*_SERVICE, *_REDIS),
    *("ETRACKER_OBSERVATION_HOST", "ETRACKER_OBSERVATION_PORT"),
    *("ETRACKER_FRONTEND_HOSTNAME", "ETRACKER_SCORING_URL", "ETRACKER_TRUSTED_PROXIES", "ETRACKER_GUESTS"),
    *("ETRACKER_POLICY", "ETRACKER_EQUILIBRIUM_*", "ETRACKER_DISABLE_ALLOWLIST", "ETRACKER_NEW_HASHES_PER_HOUR"),
    *("ETRACKER_INTERVAL_SECONDS", "ETRACKER_MIN_INTERVAL_SECONDS", "ETRACKER_NUMWANT", "ETRACKER_PEERS_PER_KEY"),
    *("ETRACKER_PEERS_PER_ADDRESS", "ETRACKER_GUESTS_PER_MINUTE", "ETRACKER_SHARED_NETWORKS"),
    *("ETRACKER_BUDGET_BURST", "ETRACKER_BUDGET_SECONDS", "ETRACKER_DETECTION"),
    *("ETRACKER_PRIVATE_PEERS", "ETRACKER_EXTERNAL_IP", "ETRACKER_STREAM_MAX_BYTES"),
    *("ETRACKER_SWEEP_SECONDS", "ETRACKER_SWEEP_BUDGET"),
    *("ETRACKER_TIER_CACHE_SECONDS", "ETRACKER_TIER_CACHE_ENTRIES", "ETRACKER_ALLOWLIST_CACHE_ENTRIES"),
)
ADMIN_API = (  # the API key is in a file, which can change while the service runs
    *(*_SERVICE, *_REDIS),
    *("ETRACKER_AUTHORIZATION_FILE", "ETRACKER_FRONTEND_HOSTNAME", "ETRACKER_TRUSTED_PROXIES"),
    *("ETRACKER_KEY_LIMIT", "ETRACKER_FAILURE_LIMIT", "ETRACKER_RECOVERY_DAYS", "ETRACKER_SAMPLE_SECONDS"),
    *("ETRACKER_DOWNLOAD_LIMIT", "ETRACKER_DOWNLOADS_AT_ONCE", "ETRACKER_WRITE_TIMEOUT_SECONDS"),
    *("ETRACKER_ANNOUNCE_URL", "ETRACKER_SCORING_URL", "ETRACKER_WORKER_URL", "ETRACKER_DETECTION"),
)
GATEWAY = (
    *("ETRACKER_BACKEND_PORT", "ETRACKER_LISTEN_HOST", "ETRACKER_FRONTEND_HOSTNAME", "ETRACKER_GATEWAY_*"),
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GOMAXPROCS", "GOMEMLIMIT"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),  # to get certificates
)


def environment(names: Iterable[str] = (), known: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the ordinary and the named variables of our own environment, updated with those in ``known``."""
    wanted = (*ORDINARY, *names)
    return {name: value for name, value in {**os.environ, **(known or {})}.items() if _is_named(name, wanted)}


def _is_named(name: str, wanted: Iterable[str]) -> bool:
    return any(name == one or (one.endswith("*") and name.startswith(one[:-1])) for one in wanted)
