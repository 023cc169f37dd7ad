"""Run the worker."""

import gc

from etracker_scoring.settings import WorkerSettings
from etracker_scoring.worker.program import create_worker_app
from etracker_shared.plumbing.serving import serve
from etracker_shared.plumbing.settings import load_settings

if __name__ == "__main__":
    # A batch creates several hundred thousand short-lived tuples: collecting garbage after every 700 allocations would
    # cost a third of the worker's CPU time.
    gc.set_threshold(100_000, 10, 10)
    serve(create_worker_app, load_settings(WorkerSettings))
