"""`tocsin serve`: the web process and the background workers, until they are stopped."""

import os
import socket
import subprocess
import sys
import threading
from typing import Any

import click

from tocsin.cli.listening import say_when_listening

APPLICATION = "tocsin.doors.admin.application:application"
BACKGROUND = "tocsin.doors.admin.background"
QUEUES = ("default", "warnings")  # as tocsin.jobs.queue names them


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port.")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Web processes. With SQLite one is best: writers inside it wait in a fair queue.",
)
@click.option(
    "--threads", default=8, show_default=True, type=click.IntRange(1, 256), help="Requests at a time."
)
def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the exchange until stopped. The first time, everything that is missing is made."""
    from tocsin.doors.admin.setup import home, lists_built, locked, prepare, start_django
    from tocsin.kernel.problems import Conflict

    address = f"http://{'[' + host + ']' if ':' in host else host}:{port}"
    os.environ.setdefault("TOCSIN_URL", address)
    start_django()
    try:
        with locked(home() / "serve.lock", wait=False):
            check_free(host, port)
            with lists_built():
                prepare()
            click.echo(f"tocsin: home {home()}", err=True)
            run(host, port, workers, threads, address)
    except BlockingIOError:
        raise Conflict(
            f"an exchange is being served from {home()} already",
            hint="stop that one first, or give this one a home of its own by TOCSIN_HOME",
        ) from None


def check_free(host: str, port: int) -> None:
    """Raises Conflict where something else listens there, Unreachable where there is no such address."""
    from tocsin.kernel.problems import BadInput, Conflict

    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except socket.gaierror:
        raise BadInput(f"no such address: {host}") from None
    except OSError as error:
        raise Conflict(
            f"cannot listen on {host} port {port}: {error.strerror}", hint="choose another --port"
        ) from None


def run(host: str, port: int, workers: int, threads: int, address: str) -> None:
    """Run all processes; returns when told to stop, with all ended."""
    from django.db import connections
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    connections.close_all()  # the web processes are forked from this one
    server: Any = Server(
        APPLICATION,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
        process_name=None,
    )
    workers_behind = [Background(queue) for queue in QUEUES]
    text = f"tocsin: serving at {address} (stop with Ctrl-C)"
    server.on_startup(lambda: say_when_listening(host, port, text))
    for worker in workers_behind:
        server.on_startup(worker.start)
    try:
        server.serve()
    finally:
        for worker in workers_behind:
            worker.tell()
        for worker in workers_behind:
            worker.wait()
        click.echo("tocsin: stopped", err=True)


class Background:
    """The process of a queue's worker, started again if it dies."""

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self.process: subprocess.Popen[bytes] | None = None
        self.stopping = threading.Event()

    def start(self) -> None:
        """Start it and watch over it."""
        self.process = self._spawn()
        threading.Thread(target=self._watch, daemon=True).start()

    def tell(self) -> None:
        """Tell it to stop."""
        self.stopping.set()
        if self.process is not None:
            self.process.terminate()

    def wait(self) -> None:
        """Let it finish its job, for ten seconds at most."""
        if self.process is None:
            return
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", BACKGROUND, self.queue]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603

    def _watch(self) -> None:
        while self.process is not None:
            self.process.wait()
            if self.stopping.wait(1):
                return
            click.echo(f"tocsin: the worker of {self.queue} jobs ended and is started again", err=True)
            self.process = self._spawn()
