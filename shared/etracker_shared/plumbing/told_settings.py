"""What a service reports about its settings: those in effect, without secrets."""

import dataclasses
import enum
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings


class ToldSetting(BaseModel):
    """One variable. ``value`` (in effect) and ``default`` are written as in the environment, null if secret."""

    name: str
    value: str | None
    default: str | None
    secret: bool
    changed: bool


class ToldSettings(BaseModel):
    """All of a service's settings."""

    settings: list[ToldSetting]


def tell_settings(settings: BaseSettings) -> ToldSettings:
    """Report the settings of a service; a group of parameters has one variable for each of them."""
    told = []
    for name, field in type(settings).model_fields.items():
        value, default = getattr(settings, name), field.get_default(call_default_factory=True)
        told += [_tell(*one) for one in _flatten(name, value, default)]
    return ToldSettings(settings=told)


def _flatten(name: str, value: Any, default: Any) -> Iterator[tuple[str, Any, Any]]:
    if dataclasses.is_dataclass(value):
        for part in dataclasses.fields(value):
            yield f"{name}_{part.name}", getattr(value, part.name), getattr(default, part.name)
    else:
        yield name, value, default


def _tell(name: str, value: Any, default: Any) -> ToldSetting:
    secret = isinstance(value, SecretStr)
    return ToldSetting(
        name=name.upper() if name.startswith("pg") else f"ETRACKER_{name.upper()}",
        value=None if secret else _write(value),
        default=None if secret else _write(default),
        secret=secret,
        changed=value != default,
    )


def _write(value: Any) -> str:
    if isinstance(value, tuple | list):
        return " ".join(_write(item) for item in value)
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "all"
    return _without_password(str(value))


def _without_password(text: str) -> str:
    """Leave the password out of a URL."""
    if "://" not in text or "@" not in text:
        return text
    parts = urlsplit(text)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
