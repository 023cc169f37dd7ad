"""An HTTP client for the control interfaces, which all listen on 127.0.0.1."""

from ipaddress import IPv4Address
from typing import Any

import httpx

from tests.support.clients.base import ClientError, free_port

LOOPBACK = IPv4Address("127.0.0.1")


class ControlPort:
    """A port on loopback, and requests to it, each over a new connection."""

    def __init__(self) -> None:
        self.port = free_port(LOOPBACK)
        self.headers: dict[str, str] = {}

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send one request and return the answer, whatever its status.

        Raises:
            ClientError: nothing answers.
        """
        url = f"http://{LOOPBACK}:{self.port}{path}"
        try:
            return httpx.request(method, url, headers=self.headers, trust_env=False, verify=False, **arguments)
        except httpx.TransportError as error:
            raise ClientError(f"the control port {self.port} does not answer: {error!r}") from error
