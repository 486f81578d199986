"""The folder in which an exchange keeps its database and its secrets."""

import os
import secrets
from pathlib import Path


class Home:
    """A folder of mode 0700; each secret in it is made once, at first use, with mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def make(self) -> None:
        """Create the folder where it is missing."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def secret(self, name: str) -> str:
        """64 hex digits (32 random bytes) that stay the same from then on."""
        self.make()
        file = self.path / name
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return file.read_text().strip()
        with os.fdopen(handle, "w") as out:
            value = secrets.token_hex(32)
            out.write(value)
        return value
