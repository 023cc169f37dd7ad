"""A place for the clients of one end-to-end test."""

import sys
from pathlib import Path

from tests.support.clients import Client
from tests.support.netns import client_address
from tests.support.tracker import Tracker, User


class Room:
    """The directory of a test's clients, each with its own subdirectory, address and user."""

    def __init__(self, directory: Path, tracker: Tracker) -> None:
        self.directory = directory
        self._tracker = tracker
        self._clients: list[Client] = []
        self._users: list[User] = []

    def user(self, number: int, version: int = 4) -> User:
        """Make a user at a client's address."""
        user = self._tracker.user(client_address(number, version))
        self._users.append(user)
        return user

    def start(self, client: Client) -> None:
        """Start a client that ends with the test."""
        self._clients.append(client)
        client.start()

    def close(self) -> None:
        """Kill what is still running, and print every log: pytest shows them if the test failed."""
        for client in self._clients:
            if client.running:
                client.kill()
            sys.stdout.write(f"===== {client}\n{client.logs()[-20000:]}\n")
        for user in self._users:
            user.close()
