"""The URLs of Redis that the services take, and what is said about those they don't."""

import pytest
from pydantic import SecretStr, ValidationError

from etracker_shared.plumbing.redis_connections import connect_redis
from etracker_shared.plumbing.redis_urls import without_password
from etracker_shared.plumbing.settings import RedisSettings


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis:6379/0",
        "rediss://me:secret@redis:6379/3?ssl_ca_certs=/etc/ca.pem",
        "unix:///run/redis/redis.sock",
        "unix:///run/redis/redis.sock?db=3&password=secret",
        "unix://me:secret@/run/redis/redis.sock?db=3",
    ],
)
def test_urls_of_hosts_and_sockets(url: str) -> None:
    assert RedisSettings(redis_url=url).redis_url == url


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("/run/redis/redis.sock", "it must begin with redis://, rediss:// (TLS) or unix:// (a Unix socket)"),
        ("unix:/run/redis/redis.sock", "it must begin with"),
        ("http://redis:6379", "it must begin with"),
        ("unix://run/redis/redis.sock", "three slashes: unix:///run/redis/redis.sock"),
        ("unix://me:secret@run/redis.sock", "three slashes"),
        ("unix://", "three slashes"),
        ("unix:///?db=0", "three slashes"),
        (f"unix:///{'a' * 107}", "may have only 107 bytes"),
        ("unix:///run/redis.sock?db=secret", "db must be the number of a database"),
    ],
)
def test_a_url_that_would_lead_nowhere_is_refused(url: str, complaint: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        RedisSettings(redis_url=url)
    (problem,) = refusal.value.errors()
    assert complaint in problem["msg"]
    assert "secret" not in problem["msg"]


def test_a_cluster_has_no_socket() -> None:
    with pytest.raises(ValidationError, match="can't be reached through the Unix socket"):
        RedisSettings(redis_url="unix:///run/redis.sock", redis_cluster=True)
    assert RedisSettings(redis_url="redis://redis:6379", redis_cluster=True).redis_cluster


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://redis:6379/0", "redis://redis:6379/0"),
        ("redis://me:secret@redis:6379/0", "redis://redis:6379/0"),
        ("redis://redis:6379?password=secret", "redis://redis:6379"),
        ("rediss://redis/3?ssl_password=secret&ssl_ca_certs=/ca.pem", "rediss://redis/3?ssl_ca_certs=/ca.pem"),
        ("unix:///run/redis.sock?db=3&password=secret", "unix:///run/redis.sock?db=3"),
        ("unix:///run/redis.sock?%70assword=secret&db=3", "unix:///run/redis.sock?db=3"),
        ("unix://me:secret@/run/redis.sock", "unix:///run/redis.sock"),
        ("unix:///run/user@host.sock", "unix:///run/user@host.sock"),
    ],
)
def test_no_password_in_a_url_is_told(url: str, told: str) -> None:
    assert without_password(url) == told


def test_the_password_in_a_url_has_precedence() -> None:
    client = connect_redis(
        RedisSettings(redis_url="redis://redis:6379?password=in%20the%20URL", redis=SecretStr("another"))
    )
    assert client.connection_pool.connection_kwargs["password"] == "in the URL"  # type: ignore[union-attr]
