"""Every route of the application, however routers are nested, and what a path parameter may contain."""

from collections.abc import Iterator, Sequence

from fastapi.routing import APIRoute
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute

from etracker_admin_api.http.infohashes import HEX


class InfoHashConvertor(Convertor[str]):
    """Matches an infohash in hex and no other part of a path."""

    regex = HEX

    def convert(self, value: str) -> str:
        """Return it unchanged: routes parse it."""
        return value

    def to_string(self, value: str) -> str:
        """Return it unchanged."""
        return value


register_url_convertor("infohash", InfoHashConvertor())


def walk(routes: Sequence[BaseRoute]) -> Iterator[APIRoute]:
    """Find every route: FastAPI keeps included routers as a tree."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif (router := getattr(route, "original_router", None)) is not None:
            yield from walk(router.routes)


def allowed_methods(routes: Sequence[BaseRoute], path: str) -> Sequence[str]:
    """Return the methods that a path allows; each may have a separate route."""
    return sorted({method for route in walk(routes) if route.path_regex.match(path) for method in route.methods or ()})
