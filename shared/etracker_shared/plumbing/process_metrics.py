"""The metrics that every process has: its CPU time, memory and open files, and which version it is."""

import platform
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Info, ProcessCollector


def create_registry(package: str) -> CollectorRegistry:
    """Return a registry with the metrics of this process. ``package``: the installed package that it runs."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    build = Info("etracker_build", "The version of etracker and of Python that this process runs.", registry=registry)
    build.info({"package": package, "version": version(package), "python": platform.python_version()})
    return registry
