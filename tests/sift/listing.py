"""A made-up exchange for the edge tool: it signs lists, takes tallies, and can go away."""

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import msgspec

from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import sha256_hex
from tocsin.proof import signing
from tocsin.proof.lists import sign_statement
from tocsin.wire.lists import SIGNATURE_HEADER, ListStatement, changes, class_line
from tocsin.wire.tally import TallyAnswer, TallyBatch

URL, ORIGIN = "https://exchange.example", "exchange.example"
EMPTY_ZONE = "$TTL 60\n@ IN SOA localhost. hostmaster.localhost. 1 60 30 604800 60\n@ IN NS localhost.\n"
FIRST_LINES = "add table inet tocsin\nadd set inet tocsin shared4 { type ipv4_addr; counter; }\n"


@dataclass
class Listing:
    """What stands on its lists, what it was told, and how it misbehaves."""

    private: bytes = field(default_factory=signing.new_key)
    number: int = 1
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    expires: str = "2199-01-01T00:00:00Z"
    is_away: bool = False
    spoil: Callable[[ListStatement, bytes], tuple[ListStatement, bytes]] | None = None
    told: list[TallyBatch] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    tells_changes: bool = True
    refuses: bool = False
    kinds: dict[str, str] = field(
        default_factory=dict
    )  # classes; what has none is told as older exchanges do
    before: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def date(self) -> str:
        """The instant of its last change: a second a number."""
        return f"2026-11-20T00:{self.number // 60:02}:{self.number % 60:02}Z"

    def change(self, *names: str) -> None:
        """List these names from now on."""
        self.before[self.date] = {name: self.kinds.get(name, "") for name in self.names}
        self.names, self.number = names, self.number + 1

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What it answers."""
        if self.is_away:
            raise httpx.ConnectError("nobody there", request=request)
        name = request.url.path.rsplit("/", 1)[-1]
        if name == "exchange":
            public = signing.public_key(self.private).hex()
            return httpx.Response(200, json={"name": ORIGIN, "public_key": public})
        if name == "tallies":
            self.told.append(msgspec.json.decode(request.content, type=TallyBatch))
            return httpx.Response(
                200, content=msgspec.json.encode(TallyAnswer(len(self.told[-1].tallies), 0))
            )
        if self.refuses:
            return httpx.Response(401)
        asked = request.url.params
        classes = asked.get("classes") == "true" and bool(self.kinds)
        answer = self.list(name, request.headers.get("If-None-Match"), asked.get("since"), classes)
        self.asked.append(answer.status_code)
        return answer

    def list(
        self, name: str, known: str | None, since: str | None = None, classes: bool = False
    ) -> httpx.Response:
        """A signed list, what changed on it since, or 304."""
        tag = f'"{name}-{self.number}"'
        if known == tag:
            return httpx.Response(304)
        values = self.names if name == "names.rpz" else self.addresses
        body = self.body(name).encode()
        before = self.before.get(since) if since and self.tells_changes else None
        if before is not None:
            gone = sorted(set(before) - set(values))
            come = [(one, self.kinds.get(one, "")) for one in sorted(values)]
            come = [(one, kind) for one, kind in come if before.get(one) != kind]
            body = "".join(changes(gone, come, classes=classes)).encode()
        self.sent.append("whole" if before is None else "changes")
        statement = ListStatement(
            origin=ORIGIN,
            name=name,
            number=self.number,
            date=self.date,
            expires=self.expires,
            count=len(values),
            sha256=sha256_hex(body),
            key_id="",
            since=since if since and before is not None else "",
        )
        signed = sign_statement(self.private, statement)
        if self.spoil is not None:
            signed, body = self.spoil(signed, body)
        said = canonical_bytes(signed).decode()
        return httpx.Response(200, content=body, headers={"ETag": tag, SIGNATURE_HEADER: said})

    def body(self, name: str) -> str:
        """A list's text."""
        by_kind: dict[str, list[str]] = {}
        for value in self.names if name == "names.rpz" else self.addresses:
            by_kind.setdefault(self.kinds.get(value, ""), []).append(value)
        if name == "names.rpz":
            return EMPTY_ZONE + "".join(
                (class_line(";", kind) if kind else "") + "".join(f"{value} CNAME .\n" for value in values)
                for kind, values in sorted(by_kind.items())
            )
        text = FIRST_LINES
        for kind, values in sorted(by_kind.items()):
            elements = ",\n".join(f"{value} timeout 600s" for value in values)
            text += class_line("#", kind) if kind else ""
            text += f"add element inet tocsin shared4 {{\n{elements}\n}}\n"
        return text

    def client(self, url: str, key: str) -> httpx.Client:
        """In the place of `calling.client`."""
        return httpx.Client(base_url=url + "/api/v1", transport=httpx.MockTransport(self.answer))
