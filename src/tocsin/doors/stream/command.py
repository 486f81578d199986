"""`tocsin stream`: the live stream's own process."""

import os
from typing import Any

import click

from tocsin.cli.listening import say_when_listening

APPLICATION = "tocsin.doors.stream.application:application"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8001, show_default=True, type=click.IntRange(1, 65535), help="Port.")
def stream(host: str, port: int) -> None:
    """Serve the live stream of an exchange that `tocsin serve` serves, until stopped.

    A process of its own: a thousand open streams never hold up a page or a report. Put it behind the same
    proxy, at /stream/.

    \b
      tocsin stream --port 8001
      curl -N -H "Authorization: Bearer $TOCSIN_KEY" http://127.0.0.1:8001/stream/v1/channels/everybody-green
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tocsin.site.settings")
    import django

    django.setup()
    from django.db import connections
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    check_made()
    connections.close_all()
    server: Any = Server(
        APPLICATION,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=1,
        log_level=LogLevels.warning,
        process_name=None,
        workers_kill_timeout=5,
    )
    address = f"http://{host}:{port}"
    text = f"tocsin: streaming at {address} (stop with Ctrl-C)"
    server.on_startup(lambda: say_when_listening(host, port, text))
    try:
        server.serve()
    finally:
        click.echo("tocsin: stopped", err=True)


def check_made() -> None:
    """Raises Conflict where there is no exchange yet."""
    from django.db import DatabaseError

    from tocsin.kernel.problems import Conflict
    from tocsin.sharing.models import Channel

    try:
        Channel.objects.exists()
    except DatabaseError:
        hint = "run tocsin serve first, with the same home"
        raise Conflict("there is no exchange here yet", hint=hint) from None
