"""The process of a measurement: it prepares a case, says that it is ready, and runs when told to.

A case is a function of a module beside this one; it prepares, and gives the call that is timed. On
standard output the process says, as JSON: how long the first call took, which compiles; then, for
every line of its standard input, how long another call took.

It is run by the Python of whoever is measured, with the libraries that are found there:
    python worker.py reading.forward '{"section": …, "px": 1024}'
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "workflow" / "scripts")]


def main() -> None:
    case, given = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries print
    module, name = case.split(".")
    if module == "learning":  # as the script of the training does
        from atomsight.learning import backend

        backend.tell_tensorflow_of_training()
    call = getattr(importlib.import_module(f"timed.{module}"), name)(**json.loads(given))
    print(json.dumps(timed(call)), file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps(timed(call)), file=answers, flush=True)


def timed(call: object) -> dict[str, float]:
    """Wall and processor time of a call [s], and what it gives if that is a whole number."""
    wall, cpu = time.perf_counter(), time.process_time()
    given = call()
    times = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    return times | ({"gives": given} if isinstance(given, int) else {})


if __name__ == "__main__":
    main()
