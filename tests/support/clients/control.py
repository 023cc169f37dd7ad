"""An HTTP client for the control interfaces, which all listen on 127.0.0.1."""

from ipaddress import IPv4Address

import httpx

from tests.support.clients.base import ClientError, free_port

LOOPBACK = IPv4Address("127.0.0.1")


class ControlPort:
    """A port on loopback, and requests to it. Connection problems are ``ClientError``."""

    def __init__(self) -> None:
        self.port = free_port(LOOPBACK)
        self.http = httpx.Client(base_url=f"http://{LOOPBACK}:{self.port}", timeout=10, trust_env=False)

    def request(self, method: str, path: str, **arguments: object) -> httpx.Response:
        """Send one request and return the answer, whatever its status.

        Raises:
            ClientError: nothing answers.
        """
        try:
            return self.http.request(method, path, **arguments)  # type: ignore[arg-type]  # passed through
        except httpx.TransportError as error:
            raise ClientError(f"the control port {self.port} does not answer: {error!r}") from error
