"""`tocsin demo`: the promise kept once, whole, on evidence that real daemons wrote."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from tocsin.doors.admin.postbox import postbox
from tocsin.kernel.problems import Problem


@click.command()
@click.option("--once", is_flag=True, help="Tell the story and end, instead of serving until stopped.")
@click.option("--json", "as_json", is_flag=True, help="With --once: a JSON summary on standard output.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one."
)
def demo(once: bool, as_json: bool, port: int) -> None:
    """From real logs to told reporters, with every step a process or a page that you could use yourself.

    Three providers sift and report what their sshd, mail server and honeypot saw. The exchange links it,
    names the units, and officers answer: one with an account, one of a unit that has not joined, by a
    one-time link. Everything lives in a temporary folder.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="tocsin-demo-") as folder:
        stage = Stage(Path(folder), free_port() if port == 0 else port, as_json)
        with postbox(stage.folder / "mail", stage.mail_came) as server:
            os.environ["TOCSIN_SMTP"] = server
            with stage.exchange():
                stage.play()
                stage.tell_sign_ins()
                stage.tell_where_to_look()
                if once:
                    if as_json:
                        click.echo(json.dumps(stage.summary(), indent=2))
                    return
                stage.say(f"\nserving at {stage.address} until you press Ctrl-C")
                try:
                    signal.pause()
                except KeyboardInterrupt:
                    stage.say("\nstopping; nothing of the demo is kept")


class Stage:
    """A folder, an exchange in it, and what has happened so far."""

    def __init__(self, folder: Path, port: int, quiet: bool) -> None:
        from tocsin.doors.admin.story import Passwords

        self.folder, self.quiet = folder, quiet
        self.address = f"http://127.0.0.1:{port}"
        self.port = port
        self.passwords = Passwords()
        self.steps: list[dict[str, Any]] = []
        self.facts: dict[str, Any] = {}
        self.began = time.monotonic()
        os.environ["TOCSIN_HOME"] = str(folder / "exchange")
        os.environ["TOCSIN_URL"] = self.address
        # Everybody in the demo has an address that nobody can own: here they count as public.
        os.environ["TOCSIN_PRETEND_PUBLIC"] = "198.18.0.0/15,198.51.100.0/24,203.0.113.0/24,2001:db8::/32"
        os.environ["TOCSIN_ORIGIN"] = "demo.tocsin.invalid"
        os.environ.setdefault("TOCSIN_SECOND_FACTOR", "none")  # a guest signs in with what is printed

    def say(self, text: str) -> None:
        """To the person who watches."""
        click.echo(text, err=self.quiet)

    def step(self, what: str, act: Callable[[], str]) -> None:
        """One act of the story: a line with what came of it and how long it took."""
        began = time.monotonic()
        result = act()
        seconds = time.monotonic() - began
        self.steps.append({"step": what, "result": result, "seconds": round(seconds, 2)})
        self.say(f"{len(self.steps):>2}. {what:<34} {seconds:5.1f} s  {result}")

    @contextmanager
    def exchange(self) -> Iterator[None]:
        """`tocsin serve`, as the process it is, until the block ends."""
        log = (self.folder / "serve.log").open("wb")
        command = [sys.argv[0], "serve", "--port", str(self.port)]
        server = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 (our own command)
        try:
            self.step("an exchange starts", lambda: self._wait_for(server))
            yield
        finally:
            server.terminate()
            server.wait(15)

    def play(self) -> None:
        """The whole story."""
        from tocsin.doors.admin import scenes

        scenes.Story(self).play()

    def tell_sign_ins(self) -> None:
        """Who may sign in, with which password, and where."""
        from tocsin.doors.admin.story import COORDINATOR, MEMBERS, OFFICERS

        people = [(m.reporter, m.name, m.email) for m in MEMBERS]
        people += [(o.name, o.unit_id, o.email) for o in OFFICERS] + [
            (COORDINATOR.name, "coordinator", COORDINATOR.email)
        ]
        self.say(f"\nsign in at {self.address}/sign-in")
        for name, place, email in people:
            self.say(f"  {email:<24} {self.passwords.of(email):<20} {name}, {place}")

    def tell_where_to_look(self) -> None:
        """The pages that the story filled, each with who reads it."""
        from tocsin.doors.admin.story import COORDINATOR, MEMBERS, OFFICERS

        pages = (
            (MEMBERS[1].email, "/reports", "what became of each report, and what it led to"),
            (OFFICERS[0].email, "/queue", "the case that came back, its question, number and rating"),
            (OFFICERS[1].email, "/links", "pairs that may be one, and what was joined"),
            (OFFICERS[1].email, "/queue/below", "what stayed below the threshold, in groups"),
            (COORDINATOR.email, "/coordination/nation", "every force, as a map and a table"),
            ("anybody", "/figures", "the public figures, with their methods"),
        )
        self.say("\nwhere to look")
        for reader, path, what in pages:
            self.say(f"  {reader:<24} {path:<20} {what}")
        self.say(f"\nmail leaves a minute after its news, here into {self.folder / 'mail'}")

    def mail_came(self, recipient: str, subject: str) -> None:
        """Say that the exchange sent somebody a mail."""
        self.facts["mails"] = self.facts.get("mails", 0) + 1
        self.say(f"  mail to {recipient}: {subject}")

    def summary(self) -> dict[str, Any]:
        """The story in figures."""
        seconds = round(time.monotonic() - self.began, 1)
        return {"address": self.address, "seconds": seconds, **self.facts, "steps": self.steps}

    def edge(self, member: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the edge tool as one provider's process. Raises Problem where it fails."""
        home = {"TOCSIN_EDGE_HOME": str(self.folder / "edge" / member), "NO_COLOR": "1"}
        done = subprocess.run(  # noqa: S603 (our own command)
            [sys.argv[0], *arguments],
            env={**os.environ, **home, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Problem(f"tocsin {' '.join(arguments)} failed: {done.stderr.strip()}")
        return done

    def _wait_for(self, server: subprocess.Popen[bytes]) -> str:
        import httpx

        for _ in range(300):
            if server.poll() is not None:
                said = (self.folder / "serve.log").read_text(errors="replace").strip()
                raise Problem(f"the exchange did not start: {said}")
            try:
                if httpx.get(f"{self.address}/api/v1/exchange", timeout=2).is_success:
                    return self.address
            except httpx.HTTPError:
                time.sleep(0.1)
        raise Problem("the exchange did not answer within half a minute")


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
