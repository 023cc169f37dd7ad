"""Every route of the application, however routers are nested, and what a path in a route may be."""

from collections.abc import Iterator, Sequence

from fastapi.routing import APIRoute
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute


class InfoHashConvertor(Convertor[str]):
    """Takes an infohash in hex, so that no other word of a path is taken for one."""

    regex = "[0-9a-fA-F]{64}|[0-9a-fA-F]{40}"

    def convert(self, value: str) -> str:
        """Leave it as it is: routes parse it."""
        return value

    def to_string(self, value: str) -> str:
        """Leave it as it is."""
        return value


register_url_convertor("infohash", InfoHashConvertor())


def walk(routes: Sequence[BaseRoute]) -> Iterator[APIRoute]:
    """Find every route; FastAPI keeps included routers whole."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif (router := getattr(route, "original_router", None)) is not None:
            yield from walk(router.routes)


def allowed_methods(routes: Sequence[BaseRoute], path: str) -> Sequence[str]:
    """Return the methods with which a path may be asked for: there may be a route for each."""
    return sorted({method for route in walk(routes) if route.path_regex.match(path) for method in route.methods or ()})
