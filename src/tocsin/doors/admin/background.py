"""A background worker as `tocsin serve` runs it: `python -m tocsin.doors.admin.background QUEUE`."""

import logging
import signal
import sys
import threading

from tocsin.doors.admin.orphans import orphan_test
from tocsin.doors.admin.setup import start_django


def main() -> None:
    """Work on the named queue until SIGTERM, Ctrl-C, or the end of the process that started this one."""
    is_orphaned, stopped = orphan_test(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    logging.basicConfig(format="tocsin: %(message)s", level=logging.WARNING)
    start_django()
    from tocsin.jobs import worker

    worker.run(stopped, name=sys.argv[1], is_orphaned=is_orphaned)


if __name__ == "__main__":
    main()
