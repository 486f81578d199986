"""From settings to a running watch."""

import hashlib
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tocsin.kernel.problems import BadInput
from tocsin.sift import minimise, reporting, rulebook, spool
from tocsin.sift.live.files import Patterns
from tocsin.sift.live.journal import JournalSource, journal_name
from tocsin.sift.live.lmtp import LmtpSource, lmtp_name
from tocsin.sift.live.meters import Meters
from tocsin.sift.live.outlets import outlets_of
from tocsin.sift.live.receiving import SyslogSource, syslog_name
from tocsin.sift.live.settings import Settings
from tocsin.sift.live.state import LiveState
from tocsin.sift.live.tickets import Answers, Rt5
from tocsin.sift.live.watching import Watch, options_of
from tocsin.sift.live.windows import Followable
from tocsin.sift.rulebook import ruleset
from tocsin.sift.spool import NOWHERE, Spool


def watch(
    settings: Settings,
    say: Callable[[str], None],
    stop: Callable[[], bool],
    seen: Callable[[Meters], None] = lambda _: None,
    *,
    once: bool = False,
) -> Meters:
    """Watch until `stop` says so, or (`once`) until everything that is there was read and told.

    Raises SpoolBusy where another process reports to the same exchange, BadInput for what cannot be watched.
    """
    key = key_of(settings) if settings.to else ""
    with ExitStack() as stack:
        kept = stack.enter_context(spool.opened(settings.to or NOWHERE))
        places = LiveState(kept).places()
        mappings = {one.map: rulebook.mapping(Path(one.map)) for one in settings.files if one.map}
        patterns = Patterns(settings.files, options_of(settings), places, mappings)
        own, token = minimise.networks(settings.networks), reporting.token_key(kept)
        desks = [
            Rt5(one, kept.db, lambda attack: minimise.sent_id(attack, own, token)) for one in settings.rt
        ]
        every = min((one.every for one in settings.rt), default=60.0)
        running = Watch(
            settings,
            kept,
            sources_of(settings, kept, places, follow=not once),
            key=key,
            say=say,
            fresh=patterns.fresh,
            outlets=[*outlets_of(settings.siem), *desks],
            answers=Answers(kept.db, desks, every) if desks and settings.to else None,
            rules=ruleset(*mappings.values()),
        )
        if settings.metrics:
            from tocsin.sift.live.metrics import serve

            stack.enter_context(serve(settings.metrics, running.meters))
        if once:
            running.drain()
            running.close()
            seen(running.meters)
        else:
            running.run(stop, seen)
        return running.meters


def sources_of(
    settings: Settings, kept: Spool, places: dict[str, bytes], *, follow: bool
) -> list[Followable]:
    """The sources that are there from the start: journals, mailboxes, doors. Raises BadInput."""
    options = options_of(settings)
    sources: list[Followable] = [
        JournalSource(journal, options, places.get(journal_name(journal)), follow=follow)
        for journal in settings.journal
    ]
    if settings.mailbox:
        from tocsin.sift.live.mailbox import MailSource, mailbox_name

        sources += [
            MailSource(box, options, places.get(mailbox_name(box)), follow=follow) for box in settings.mailbox
        ]
    limit = settings.inbox_mb << 20
    for heard in settings.syslog:
        name = syslog_name(heard)
        sources.append(SyslogSource(heard, options, _inbox(kept, name), limit, places.get(name)))
    for door in settings.lmtp:
        name = lmtp_name(door)
        sources.append(LmtpSource(door, options, _inbox(kept, name), limit, places.get(name)))
    if settings.dnstap:
        from tocsin.sift.live.tapping import TapSource, dnstap_name

        for tap in settings.dnstap:
            folder = _inbox(kept, dnstap_name(tap))
            sources.append(TapSource(tap, options, folder, limit, counting(settings), follow=follow))
    return sources


def counting(settings: Settings) -> Callable[[list[Path]], tuple[int, str]]:
    """How files of dnstap are counted: for the exchange where there is one, else for oneself."""

    def count(paths: list[Path]) -> tuple[int, str]:
        from tocsin.sift import tallying

        key = key_of(settings) if settings.to else ""
        result = tallying.tally(paths, tallying.Plan(url=settings.to), key, lambda _: None)
        return result.connections, result.fault

    return count


def _inbox(kept: Spool, name: str) -> Path:
    """Where a source keeps what it received and did not read yet."""
    return kept.folder / "inbox" / hashlib.sha256(name.encode()).hexdigest()[:16]


def key_of(settings: Settings) -> str:
    """The API key for the exchange. Raises BadInput where there is none."""
    if settings.key_file:
        try:
            return Path(settings.key_file).read_text().strip()
        except OSError as error:
            reason = (error.strerror or "cannot be read").lower()
            raise BadInput(f"{settings.key_file}: {reason}", hint="put the API key into that file") from error
    if key := os.environ.get("TOCSIN_KEY"):
        return key
    raise BadInput("no API key", hint="set key_file in the settings, or TOCSIN_KEY")
