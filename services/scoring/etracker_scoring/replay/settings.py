"""Settings of a replay: the worker's own thresholds, and where Postgres is for an export."""

from pydantic_settings import SettingsConfigDict

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_shared.plumbing.settings import EnvironmentSettings, PostgresSettings


class ThresholdSettings(EnvironmentSettings):
    """Thresholds of the detector, from the same variables as the worker's: ``ETRACKER_ANOMALY_*``."""

    model_config = SettingsConfigDict(env_nested_delimiter="_", env_nested_max_split=1)

    anomaly: DetectionParameters = DetectionParameters()


class ExportSettings(PostgresSettings):
    """Where the facts are."""
