"""What a service reports about its settings: their values and meanings, never a secret."""

import enum
from operator import attrgetter
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings

from etracker_shared.plumbing.redis_urls import without_password
from etracker_shared.plumbing.setting_variables import Variable, variables_of


class ToldSetting(BaseModel):
    """One variable and its value. ``value`` and ``default``: as in the environment, null if secret or not set."""

    name: str
    value: str | None
    default: str | None
    description: str = ""
    secret: bool
    changed: bool


class ToldSettings(BaseModel):
    """All of a service's settings."""

    settings: list[ToldSetting]


def tell_settings(settings: BaseSettings) -> ToldSettings:
    """Return the settings of a service, with one variable for each parameter in a group."""
    return ToldSettings(settings=[_tell(settings, variable) for variable in variables_of(type(settings))])


def write_value(value: Any) -> str | None:
    """Write a value as in the environment, without the password of a URL; None if it is a secret or not set."""
    return None if value is None or isinstance(value, SecretStr) else _write(value)


def _tell(settings: BaseSettings, variable: Variable) -> ToldSetting:
    value = attrgetter(variable.attribute)(settings)
    return ToldSetting(
        name=variable.name,
        value=write_value(value),
        default=write_value(variable.default),
        description=variable.description,
        secret=isinstance(value, SecretStr),
        changed=value != variable.default,
    )


def _write(value: Any) -> str:
    if isinstance(value, tuple | list):
        return " ".join("all" if item is None else _write(item) for item in value)
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _without_password(str(value))


def _without_password(text: str) -> str:
    return without_password(text) if "://" in text else text
