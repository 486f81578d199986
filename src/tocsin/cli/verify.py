"""`tocsin verify`: check receipts offline."""

import json
import sys
from pathlib import Path

import click

from tocsin.kernel.problems import BadInput


@click.command()
@click.argument("receipts", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--trust", metavar="KEY", help="The exchange's public key, 64 hex digits, or a file with it.")
@click.option("--json", "as_json", is_flag=True, help="One object a receipt on standard output.")
def verify(receipts: tuple[Path, ...], trust: str | None, as_json: bool) -> None:
    """Check RECEIPTS against the exchange's signed tree head, without network or account.

    A receipt is genuine when its report opens the journal entry's commitment, the entry leads to the root of
    the tree head, and the head is signed by the exchange's key. The key is the one that the first
    `tocsin report` pinned, unless --trust names another. Exit status 0: all genuine; 8: at least one is not.

    \b
      tocsin verify receipt.json
      tocsin verify --trust exchange.pub *.json
    """
    from tocsin.kernel.problems import NotGenuine
    from tocsin.proof import receipts as proof
    from tocsin.sift import trust as pins

    given = _key(trust) if trust else None
    refused = 0
    for path in receipts:
        receipt = proof.read(_bytes(path))
        public = given or pins.pinned(receipt.head.origin)
        try:
            proof.check(receipt, public)
            fault = ""
        except NotGenuine as problem:
            fault, refused = problem.detail, refused + 1
        if as_json:
            facts = {
                "receipt": str(path),
                "genuine": not fault,
                "fault": fault,
                "report_id": receipt.report_id,
            }
            facts |= {"seq": receipt.entry.seq, "tree_size": receipt.head.tree_size, "at": receipt.entry.at}
            click.echo(json.dumps(facts))
        elif fault:
            click.echo(f"{path}: NOT genuine: {fault}")
        else:
            head, entry = receipt.head, receipt.entry
            click.echo(
                f"{path}: genuine. {receipt.report_id} was received at {entry.at} as entry {entry.seq} "
                f"of the journal of {head.origin}, signed at {head.tree_size} entries"
            )
    if refused:
        sys.exit(NotGenuine.exit_code)


def _bytes(path: Path) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None


def _key(trust: str) -> bytes:
    text = trust
    if len(trust) != 64:
        text = _bytes(Path(trust)).decode(errors="replace").strip()
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise BadInput("--trust is neither 64 hex digits nor a file with them")
    return key
