"""What OpenSSH's server writes, by generation: guessing, looking around, and ordinary sign-ins.

Each function gives the messages of one connection; `port` is the client's.
"""

from collections.abc import Sequence

from tocsin.nation.words import ACCOUNTS

Message = tuple[str, str]  # the program that writes it, and its words

_KEY = "RSA SHA256:q1Zk8vT0w3xYb7uJr5nMd2hGs9pLfAe4cKiXoBtWy6E"


def program(generation: int) -> str:
    """The name under which connections are logged."""
    return "sshd-session" if generation >= 9 else "sshd"


def guesses(generation: int, origin: str, port: int, account: str, count: int) -> list[Message]:
    """One connection that tries `count` passwords of one account and leaves."""
    if account == "root":
        known, named, side = "", "root", "authenticating"
        opening = [_pam(origin, "  user=root")]
    else:
        known, named, side = "invalid user ", account, "invalid"
        spelled = f" port {port}" if generation > 6 else ""
        opening = [f"Invalid user {account} from {origin}{spelled}"]
        if generation == 6:
            opening.append(f"input_userauth_request: invalid user {account} [preauth]")
        opening += ["pam_unix(sshd:auth): check pass; user unknown", _pam(origin, "")]
    refused = f"Failed password for {known}{named} from {origin} port {port} ssh2"
    lines = [*opening, refused]
    if count > 1 and generation == 6:
        lines.append(f"message repeated {count - 1} times: [ {refused}]")
    elif count > 1:
        lines += [refused] * (count - 1)
    if generation == 6:
        lines.append(f"Received disconnect from {origin}: 11: Bye Bye [preauth]")
    else:
        lines.append(f"Received disconnect from {origin} port {port}:11: Bye Bye [preauth]")
        lines.append(f"Disconnected from {side} user {named} {origin} port {port} [preauth]")
    return _by(generation, lines)


def look(generation: int, origin: str, port: int, which: int) -> list[Message]:
    """One connection that never signs in; `which` chooses what it does instead."""
    choices: tuple[str, ...]
    if generation == 6:
        choices = (
            f"Did not receive identification string from {origin}",
            f"Connection closed by {origin} [preauth]",
            f"Bad protocol version identification 'GET / HTTP/1.1' from {origin} port {port}",
        )
    else:
        choices = (
            f"Did not receive identification string from {origin} port {port}",
            f"Connection closed by {origin} port {port} [preauth]",
            f"Connection reset by {origin} port {port} [preauth]",
            f"banner exchange: Connection from {origin} port {port}: invalid format",
            f"Unable to negotiate with {origin} port {port}: no matching host key type found. "
            "Their offer: ssh-dss [preauth]",
        )
    line = choices[which % len(choices)]
    before = ["error: kex_exchange_identification: client sent invalid protocol identifier"]
    return _by(generation, [*(before if "invalid format" in line else ()), line])


def sign_in(generation: int, origin: str, port: int, account: str, *, by_key: bool) -> list[Message]:
    """One sign-in that is let in, and its end."""
    accepted = (
        f"Accepted {'publickey' if by_key else 'password'} for {account} from {origin} port {port} ssh2"
    )
    return [
        *_by(generation, [accepted + (f": {_KEY}" if by_key else "")]),
        *_by(generation, [f"pam_unix(sshd:session): session opened for user {account}(uid=1000) by (uid=0)"]),
        ("systemd-logind", f"New session {port} of user {account}."),
        *_by(generation, [f"pam_unix(sshd:session): session closed for user {account}"]),
    ]


def slips(generation: int, origin: str, port: int, account: str, count: int) -> list[Message]:
    """Somebody who mistypes a password of an account that exists, then gets it right."""
    wrong = [_pam(origin, f"  user={account}")]
    wrong += [f"Failed password for {account} from {origin} port {port} ssh2"] * count
    return [*_by(generation, wrong), *sign_in(generation, origin, port, account, by_key=False)]


def account(number: int) -> str:
    """An account that attackers try: root every other time."""
    return "root" if number % 2 else ACCOUNTS[number // 2 % len(ACCOUNTS)]


def _pam(origin: str, end: str) -> str:
    who = "logname= uid=0 euid=0 tty=ssh ruser="
    return f"pam_unix(sshd:auth): authentication failure; {who} rhost={origin}{end}"


def _by(generation: int, lines: Sequence[str]) -> list[Message]:
    name = program(generation)
    return [(name, line) for line in lines]
