"""Sockets to listen on: an address, or a path."""

import contextlib
import socket
from pathlib import Path

from tocsin.kernel.problems import BadInput
from tocsin.sift.live.settings import endpoint


def listening(where: str) -> socket.socket:
    """A socket that listens at an address or a path. Raises BadInput where that cannot be.

    A Unix socket lets in who may enter its folder; one that a killed process left is replaced.
    """
    is_path = where.startswith("/")
    family = socket.AF_UNIX if is_path else socket.AF_INET6 if "[" in where else socket.AF_INET
    sock = socket.socket(family)
    try:
        if is_path:
            _clear(Path(where))
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where if is_path else endpoint(where))
        if is_path:
            Path(where).chmod(0o666)
        sock.listen(64)
    except OSError as error:
        sock.close()
        reason = (error.strerror or str(error)).lower()
        raise BadInput(f"cannot listen on {where}: {reason}") from error
    return sock


def _clear(path: Path) -> None:
    """Remove a socket that nobody listens on. Raises OSError where somebody does."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)


def shut(sock: socket.socket) -> None:
    """End what goes on over a socket, from another thread."""
    with contextlib.suppress(OSError):  # it is closed already
        sock.shutdown(socket.SHUT_RDWR)
