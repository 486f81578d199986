"""A port for a daemon that a test starts."""

import random
import socket

BELOW_EPHEMERAL = 10_000, 32_000  # where no outgoing connection of another test takes it meanwhile


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens, by UDP or by TCP."""
    while True:
        port = random.randrange(*BELOW_EPHEMERAL)
        try:
            with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
                return port
        except OSError:
            continue
