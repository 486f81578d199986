"""The background worker as `tocsin serve` runs it: `python -m tocsin.doors.admin.background`."""

import logging
import signal
import threading

from tocsin.doors.admin.orphans import orphan_test
from tocsin.doors.admin.setup import start_django


def main() -> None:
    """Work until SIGTERM, Ctrl-C, or the end of the process that started this one."""
    is_orphaned, stopped = orphan_test(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    logging.basicConfig(format="tocsin: %(message)s", level=logging.WARNING)
    start_django()
    from tocsin.jobs import worker

    worker.run(stopped, is_orphaned=is_orphaned)


if __name__ == "__main__":
    main()
