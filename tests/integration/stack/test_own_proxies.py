"""Peers keep their addresses behind an operator's own proxy: real nginx, haproxy, gateway and announce front end."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import fastbencode
import pytest

from etracker_announce.frontends.http.server import HttpServer
from tests.support.announce import query
from tests.support.announce_ports import HASH, PEER, Scripted
from tests.support.gateway import Echo, Gateway, running_gateway
from tests.support.processes import Program, free_ports

CLIENT = "127.9.8.7"
ANNOUNCE = f"GET /announce?{query(HASH, PEER)} HTTP/1.1\r\nHost: tracker.test\r\nConnection: close\r\n"

NGINX = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{gateway};
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
"""
HAPROXY = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 10s
    timeout server 10s
listen announce_v1
    bind 127.0.0.1:{ports[0]}
    server tracker 127.0.0.1:{announce} send-proxy
listen announce_v2
    bind 127.0.0.1:{ports[1]}
    server tracker 127.0.0.1:{announce} send-proxy-v2
listen gateway_v1
    bind 127.0.0.1:{ports[2]}
    server tracker 127.0.0.1:{gateway} send-proxy
listen gateway_v2
    bind 127.0.0.1:{ports[3]}
    server tracker 127.0.0.1:{gateway} send-proxy-v2
"""


@pytest.fixture
async def announce() -> AsyncIterator[HttpServer]:
    async with Scripted().serving() as server:
        yield server


@pytest.fixture
def gateway(announce: HttpServer) -> Iterator[Gateway]:
    with Echo("admin_api") as admin_api, running_gateway([announce], admin_api) as running:
        yield running


async def external_ip(port: int, more: str = "") -> str:
    """Announce from :data:`CLIENT` and return the address that the tracker saw."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(CLIENT, 0))
    writer.write(f"{ANNOUNCE}{more}\r\n".encode())
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    decoded = fastbencode.bdecode(answer.partition(b"\r\n\r\n")[2])
    return socket.inet_ntoa(decoded[b"external ip"])


def program(name: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert found, f"make install-system installs {name}"
    return found


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.promise(21)
async def test_a_peer_behind_nginx_keeps_its_address(gateway: Gateway, tmp_path: Path) -> None:
    """It can't choose another one either."""
    [port] = free_ports(1)
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(NGINX.format(directory=tmp_path, port=port, gateway=gateway.port))
    command = [program("nginx"), "-p", str(tmp_path), "-e", "stderr", "-c", str(configuration)]
    with Program(command, log=tmp_path / "log") as nginx:
        await asyncio.to_thread(nginx.wait_until, lambda: listens(port), "nginx listens")
        assert await external_ip(port) == CLIENT
        assert await external_ip(port, "X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n") == "198.51.100.7"


@pytest.mark.promise(21)
async def test_a_peer_behind_haproxy_keeps_its_address(gateway: Gateway, announce: HttpServer, tmp_path: Path) -> None:
    """With the PROXY protocol, versions 1 and 2, at announce's own port and through the gateway."""
    ports = free_ports(4)
    configuration = tmp_path / "haproxy.cfg"
    configuration.write_text(HAPROXY.format(ports=ports, announce=announce.port, gateway=gateway.port))
    with Program([program("haproxy"), "-db", "-f", configuration], log=tmp_path / "log") as haproxy:
        await asyncio.to_thread(haproxy.wait_until, lambda: all(map(listens, ports)), "haproxy listens")
        assert [await external_ip(port) for port in ports] == [CLIENT] * 4


@pytest.mark.promise(21)
async def test_a_proxy_that_the_operator_didnt_name_isnt_believed(announce: HttpServer) -> None:
    """The gateway replaces the header, and doesn't accept a PROXY header."""
    with ExitStack() as stack:
        admin_api = stack.enter_context(Echo("admin_api"))
        trusted = "192.0.2.1, 2001:db8::1 198.51.100.0/24"
        gateway = stack.enter_context(running_gateway([announce], admin_api, ETRACKER_GATEWAY_TRUSTED_PROXIES=trusted))
        assert await external_ip(gateway.port, "X-Forwarded-For: 203.0.113.9\r\n") == CLIENT
        named = f"PROXY TCP4 203.0.113.9 127.0.0.1 5000 80\r\n{ANNOUNCE}\r\n".encode()
        assert (await asyncio.to_thread(gateway.ask, named)).startswith(b"HTTP/1.1 400 ")
