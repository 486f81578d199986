"""Telling that a server listens, once it really does."""

import socket
import threading
import time

import click

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.02


def say_when_listening(host: str, port: int, text: str) -> None:
    """Print `text` on standard error as soon as something accepts connections there; returns at once.

    A server's own hook for its start runs before its processes listen. Nothing is printed where nothing
    listens within a minute: the server's own errors say why.
    """
    threading.Thread(target=_wait_and_say, args=(host, port, text), daemon=True).start()


def _wait_and_say(host: str, port: int, text: str) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        try:
            with socket.create_connection((host, port), timeout=1):
                click.echo(text, err=True)
                return
        except OSError:
            time.sleep(PAUSE_SECONDS)
