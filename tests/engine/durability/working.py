"""A worker as a process of its own: `working.py URL BUNDLE [hang]`; with `hang` a charge never comes to its end.

Prints the key of each charge when it is begun.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from engine import bundles, database, deployments, feel
from engine.jobs import BUILT_IN, Call, Outside
from engine.terminal import now
from engine.worker import Worker


def main(url: str, bundle: str, *mode: str) -> None:
    def charge(call: Call) -> Mapping[str, feel.Value]:
        print(call.key, flush=True)
        if mode == ("hang",):
            threading.Event().wait()
        return {"receipt": "R-1"}

    bundles.compile_files(deployments.read_folder(Path(bundle)), ("notify", "charge"))
    found = database.connect(url)
    worker = Worker(found, now, job_types={**BUILT_IN, "charge": Outside(charge)})
    signal.signal(signal.SIGTERM, lambda *_: worker.stop(0))
    print("ready", flush=True)
    worker.loop()
    found.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
