"""The product in containers, built once and started once for all tests that don't replace it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.engine.place import Place
from tests.support.engine.product import API_KEY, PASSWORDS, Product
from tests.support.versions import copy_checkout


@pytest.fixture(scope="session")
def place() -> Place:
    """The engine that these tests were started for."""
    found = Place.of_environment()
    if found is None:
        pytest.fail(
            "tests of containers need an engine: python -m tests.support.engine python -m pytest tests/containers"
        )
    return found


@pytest.fixture(scope="session")
def deploy(place: Place) -> Callable[[str, Callable[[Path], None]], Product]:
    """A function that makes a checkout with a name and configures it as an operator does."""

    def make(name: str, check_out: Callable[[Path], None]) -> Product:
        directory = place.path / "versions" / name
        check_out(directory)
        settings = {
            **PASSWORDS,
            "ETRACKER_AUTHORIZATION": API_KEY,
            **place.settings(),
            "ETRACKER_FRONTEND_HOSTNAME": f"{place.tracker}:{place.port}",
            "ETRACKER_SHARED_NETWORKS": "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
            "ETRACKER_BUDGET_BURST": "0",
            "ETRACKER_POLICY": "random",
        }
        product = Product(place, directory, settings)
        product.configure()
        return product

    return make


@pytest.fixture(scope="session")
def built(deploy: Callable[[str, Callable[[Path], None]], Product]) -> Product:
    """This checkout with its images built."""
    product = deploy("current", copy_checkout)
    product.build()
    return product


@pytest.fixture(scope="module")
def product(built: Product) -> Iterator[Product]:
    """The tracker, started on empty data for the tests of a module. Its logs are printed if one fails."""
    built.remove()
    built.configure()
    built.up()
    yield built
    sys.stdout.write(built.compose("logs", "--tail", "200", check=False))
    built.remove()
