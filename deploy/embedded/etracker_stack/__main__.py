"""Run the whole tracker on this machine: ``python -m etracker_stack``."""

import asyncio

from etracker_shared.plumbing.settings import load_settings
from etracker_stack.console import Console
from etracker_stack.errors import StackError
from etracker_stack.settings import StackSettings
from etracker_stack.stack import run


def main() -> int:
    """Run until a signal arrives; return the exit status."""
    console = Console()
    settings = load_settings(StackSettings)
    try:
        asyncio.run(run(settings, console))
    except (StackError, OSError) as error:
        console.complain(f"etracker can't run: {error}")
        return 1
    console.say("stopped")
    return 0


raise SystemExit(main())
