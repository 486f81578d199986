"""A real Request Tracker 5 of the test's own: SQLite, a token, a port on loopback."""

import base64
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import missing
from tests.ports import free_port

SERVER = Path("/usr/share/request-tracker5/libexec/rt-server")
SETTINGS = """
Set($rtname, 'example'); Set($Organization, 'example'); Set($WebDomain, '127.0.0.1'); Set($WebPort, {port});
Set($DatabaseType, 'SQLite'); Set($DatabaseName, '{folder}/rt.db'); Set($MailCommand, 'testfile');
Set($LogToSyslog, ''); Set($LogToSTDERR, 'error'); Set($LogDir, '{folder}');
Set($MasonDataDir, '{folder}/mason'); Set($MasonSessionDir, '{folder}/session');
1;
"""
TOKENS = """
use lib '/usr/share/request-tracker5/lib'; use RT; RT::LoadConfig(); RT::Init();
my $queue = RT::Queue->new(RT->SystemUser); $queue->Create(Name => 'Abuse');
my $desk = RT::User->new(RT->SystemUser);
$desk->Create(Name => 'tocsin', Privileged => 1, Password => 'a-password');
for my $right (qw(SeeQueue ShowTicket CreateTicket CommentOnTicket ModifyTicket)) {
  $desk->PrincipalObj->GrantRight(Right => $right, Object => $queue);
}
$desk->PrincipalObj->GrantRight(Right => 'ManageAuthTokens', Object => $RT::System);
my $root = RT::User->new(RT->SystemUser); $root->Load('root');
for my $user ($root, $desk) {
  my $token = RT::AuthToken->new(RT::CurrentUser->new($user->Id));
  my ($ok, $said, $text) = $token->Create(Owner => $user->Id, Description => 'tocsin'); print "$text\\n";
}
"""


@dataclass(frozen=True)
class Tracker:
    """Where it answers, and what it holds; `desk` is the token of a user with the rights of our manual."""

    url: str
    token: str
    desk: str

    def get(self, path: str, **params: str) -> dict[str, Any]:
        """One answer of its REST interface."""
        headers = {"Authorization": f"token {self.token}"}
        answer = httpx.get(f"{self.url}/REST/2.0{path}", params=params, headers=headers, timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def tickets(self) -> list[dict[str, Any]]:
        """Every ticket, whole."""
        found = self.get("/tickets", query="id > 0", per_page="100")
        return [self.get(f"/ticket/{item['id']}") for item in found["items"]]

    def close(self, ticket: int | str) -> None:
        """Resolve a ticket, as a person does."""
        headers = {"Authorization": f"token {self.token}"}
        path = f"{self.url}/REST/2.0/ticket/{ticket}"
        httpx.put(path, json={"Status": "resolved"}, headers=headers, timeout=30).raise_for_status()

    def comments(self, ticket: int | str) -> list[str]:
        """What was said on a ticket, oldest first."""
        history = self.get(f"/ticket/{ticket}/history", per_page="100")["items"]
        told = []
        for item in history:
            for part in self.get(f"/transaction/{item['id']}/attachments")["items"]:
                content = self.get(f"/attachment/{part['id']}").get("Content") or ""
                told.append(base64.b64decode(content).decode())
        return told


@contextmanager
def request_tracker(folder: Path, port: int = 0) -> Iterator[Tracker]:
    """A tracker with an `Abuse` queue, until the block ends."""
    if not SERVER.exists():
        missing("this needs Request Tracker 5: make system")
    port = port or free_port()
    for name in ("mason", "session"):
        (folder / name).mkdir(parents=True)
    (folder / "RT_SiteConfig.pm").write_text(SETTINGS.format(port=port, folder=folder))
    (folder / "password").write_text("a-password")
    own = {
        **os.environ,
        "RT_SITE_CONFIG": str(folder / "RT_SiteConfig.pm"),
        "RT_SITE_CONFIG_DIR": str(folder / "no-such-folder"),
    }
    setup = ["/usr/sbin/rt-setup-database-5", "--action", "init", "--skip-create"]
    setup += ["--root-password-file", str(folder / "password")]
    subprocess.run(setup, env=own, check=True, capture_output=True)
    done = subprocess.run(["perl", "-e", TOKENS], env=own, check=True, capture_output=True, text=True)
    with subprocess.Popen(
        [SERVER, "--port", str(port)], env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:  # fmt: skip
        tracker = Tracker(f"http://127.0.0.1:{port}", *done.stdout.split())
        try:
            _wait_for(tracker)
            yield tracker
        finally:
            process.terminate()


def _wait_for(tracker: Tracker) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            tracker.get("/queues/all")
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("Request Tracker does not answer")
