"""The demo's postbox: a mail server for this machine alone that keeps each mail as a file and sends none on.

It speaks as much of RFC 5321 as one client needs that hands over one mail at a time, without TLS.
"""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

Told = Callable[[str, str], None]  # the recipient, and the subject


@contextmanager
def postbox(folder: Path, told: Told) -> Iterator[str]:
    """A postbox on a free port until the block ends; gives its address for `TOCSIN_SMTP`."""
    folder.mkdir(parents=True, exist_ok=True)
    with _Postbox(folder, told) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"smtp+plain://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _Postbox(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, folder: Path, told: Told) -> None:
        super().__init__(("127.0.0.1", 0), _Client)
        self.folder, self.told = folder, told
        self.count, self.lock = 0, threading.Lock()

    def keep(self, recipient: str, content: bytes) -> None:
        """Write one mail down and say that it came."""
        with self.lock:
            self.count += 1
            (self.folder / f"{self.count:03d}-{recipient.replace('/', '_')}.eml").write_bytes(content)
        subject = message_from_bytes(content, policy=policy.default).get("subject", "")
        self.told(recipient, str(subject))


class _Client(socketserver.StreamRequestHandler):
    server: _Postbox

    def handle(self) -> None:
        """Answer commands until the client leaves."""
        recipients: list[str] = []
        self._say("220 postbox of the demo")
        for line in iter(self.rfile.readline, b""):
            command = line[:4].upper().strip()
            if command == b"QUIT":
                return self._say("221 goodbye")
            if command == b"DATA":
                self._say("354 end with a dot")
                content = self._content()
                for recipient in recipients:
                    self.server.keep(recipient, content)
                recipients = []
            elif command == b"RCPT":
                recipients.append(line.decode("ascii", "replace").partition("<")[2].partition(">")[0])
            known = command in (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"DATA", b"RSET", b"NOOP")
            self._say("250 good" if known else "502 not known here")
        return None

    def _content(self) -> bytes:
        lines = []
        for line in iter(self.rfile.readline, b""):
            if line in (b".\r\n", b".\n"):
                break
            lines.append(line[1:] if line.startswith(b"..") else line)  # RFC 5321 section 4.5.2
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode("ascii"))
