"""The environment variables of a settings class, each with its description and its default.

A field is described where it is declared, with ``Field(description=...)``. A parameter in a group of parameters, which
is a dataclass, is described with :func:`~etracker_shared.language.parameters.described`.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic_settings import BaseSettings

from etracker_shared.language.parameters import DESCRIPTION


class Variable(NamedTuple):
    """One variable. ``attribute``: the path to its value in a settings object, such as ``equilibrium.phi``."""

    name: str
    attribute: str
    default: Any
    description: str


def variables_of(settings: type[BaseSettings]) -> Iterator[Variable]:
    """Return every variable that a class reads, including one for each parameter in a group."""
    for name, field in settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if dataclasses.is_dataclass(default):
            for part in dataclasses.fields(default):
                yield Variable(
                    variable_name(f"{name}_{part.name}"),
                    f"{name}.{part.name}",
                    getattr(default, part.name),
                    part.metadata.get(DESCRIPTION, ""),
                )
        else:
            yield Variable(variable_name(name), name, default, _description(settings, name))


def variable_name(field: str) -> str:
    """Return the environment variable of a field; for Postgres, these are libpq's variables."""
    return field.upper() if field.startswith("pg") else f"ETRACKER_{field.upper()}"


def _description(settings: type[BaseSettings], name: str) -> str:
    """Return a field's description, inherited if a subclass only gives the field another default."""
    bases = [base for base in settings.__mro__ if issubclass(base, BaseSettings)]
    declared = (base.model_fields[name].description for base in bases if name in base.model_fields)
    return next(filter(None, declared), "")
