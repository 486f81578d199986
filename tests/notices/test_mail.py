"""Mail: one for each person and period, never two for one event, and dead addresses are noticed."""

import datetime as dt
import mailbox
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from tests.cases.town import NOON, Town, build_town
from tests.ports import free_port

from tocsin.access.models import Alert
from tocsin.cases.models import Case
from tocsin.cases.sealing import break_glass, seal_case
from tocsin.cases.services import Responder, accept_case, answer_case
from tocsin.journal import queries as journal
from tocsin.notices import bounces, kinds, mailing, services, wishes
from tocsin.notices.models import Address, Item, Mail, Wish

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def town(db: None) -> Town:
    return build_town()


class Post:
    """A mail server that keeps what it is given, refuses some, and counts."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []
        self.refuses: dict[str, str] = {}

    async def handle_RCPT(self, server, session, envelope, address, options):  # type: ignore[no-untyped-def]
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # type: ignore[no-untyped-def]
        self.mails.append((envelope.rcpt_tos[0], envelope.content.decode()))
        return "250 taken"


@pytest.fixture
def post(settings, unused_port: int) -> Iterator[Post]:  # type: ignore[no-untyped-def]
    """A real server on loopback, which the exchange is told of."""
    found = Post()
    server = Controller(found, hostname="127.0.0.1", port=unused_port)
    server.start()
    settings.MAIL_IS_ON = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", unused_port
    yield found
    server.stop()


@pytest.fixture
def unused_port() -> int:
    return free_port()


def tell_all() -> None:
    services.tell(0, journal.size())


def answered(town: Town, reports: int = 1) -> None:
    """Reports of Ferry that Olive takes and answers."""
    case = town.case_of([town.report("ferry") for _ in range(reports)][-1])
    olive = Responder.of(town.actor("olive"), case)
    accept_case(case, olive, NOON + HOUR)
    answer_case(case, olive, "18", "Nobody was found.", ["source-port"], at=NOON + 2 * HOUR)


def only(town: Town, name: str, **channels: str) -> None:
    """This person hears of these kinds, and nobody of anything else."""
    for person in town.people.values():
        for kind in kinds.KINDS:
            channel = channels.get(kind.replace("-", "_"), "none") if person == town.people[name] else "none"
            Wish.objects.update_or_create(person=person, kind=kind, defaults={"channel": channel})


def test_one_mail_tells_all_that_is_new(town: Town, post: Post) -> None:
    """Five reports with one answer are one mail, which says so and names no other member."""
    only(town, "rita", answers="at once")
    answered(town, reports=5)
    tell_all()
    assert mailing.send_due(dt.datetime.now(dt.UTC) + HOUR) == 1
    (address, content) = post.mails[0]
    assert address == "rita@example.org"
    assert "Nobody was found" in content and "5 reports of yours" in content
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in content
    assert "Auto-Submitted: auto-generated" in content
    assert "203.0.113.7" not in content
    assert mailing.send_due(dt.datetime.now(dt.UTC) + 2 * HOUR) == 0
    tell_all()  # the projection ran twice
    assert mailing.send_due(dt.datetime.now(dt.UTC) + 3 * HOUR) == 0
    assert len(post.mails) == 1


def test_nobody_hears_what_they_do_not_wish(town: Town, post: Post) -> None:
    """Without a wish nothing waits for anybody."""
    only(town, "rita")
    answered(town)
    tell_all()
    assert not Item.objects.exists()


def test_another_member_hears_nothing(town: Town, post: Post) -> None:
    """Max of Medway has no report in it."""
    only(town, "max", answers="at once", progress="at once")
    answered(town)
    tell_all()
    assert not Item.objects.exists()


def test_a_unit_hears_of_its_cases_without_an_address_in_the_mail(town: Town, post: Post) -> None:
    """A case that comes to Kent is told to Olive by kind and severity."""
    only(town, "olive", new_cases="at once")
    town.report("ferry")
    tell_all()
    mailing.send_due(dt.datetime.now(dt.UTC) + HOUR)
    content = post.mails[0][1]
    assert "Password guessing, low" in content and "/cases/case_" in content
    assert "203.0.113.7" not in content and "Ferry" not in content


def test_a_refused_address_is_dead_and_written_to_no_more(town: Town, post: Post, client: Client) -> None:
    """A server's 550 is noticed at once, shown to its owner, and taken back by the owner alone."""
    only(town, "rita", answers="at once", progress="at once")
    post.refuses["rita@example.org"] = "550 5.1.1 nobody of that name"
    answered(town)
    tell_all()
    mailing.send_due(dt.datetime.now(dt.UTC) + HOUR)
    assert Mail.objects.get().state == "failed"
    assert Address.objects.get().dead_reason.startswith("550")
    answered(town)
    tell_all()
    assert not Item.objects.filter(mail__isnull=True).exists()
    client.force_login(town.people["rita"])
    assert "550" in client.get("/notices").content.decode()
    client.post("/notices", {"act": "revive"})
    assert Address.objects.get().dead_at is None


def test_a_server_that_is_busy_is_tried_again(town: Town, post: Post) -> None:
    """A 450 puts the mail off, and the next try sends it once."""
    only(town, "rita", answers="at once")
    post.refuses["rita@example.org"] = "450 4.2.1 later"
    answered(town)
    tell_all()
    at = dt.datetime.now(dt.UTC) + HOUR
    assert mailing.send_due(at) == 0
    assert Mail.objects.get().state == "claimed"
    post.refuses.clear()
    assert mailing.send_due(at) == 0  # not yet
    assert mailing.send_due(at + HOUR) == 1
    assert len(post.mails) == 1


def test_without_a_server_nothing_is_lost(town: Town, post: Post, settings) -> None:  # type: ignore[no-untyped-def]
    """Where nothing listens the mail waits."""
    only(town, "rita", answers="at once")
    answered(town)
    tell_all()
    listening, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    at = dt.datetime.now(dt.UTC) + HOUR
    assert mailing.send_due(at) == 0
    settings.EMAIL_PORT = listening
    assert mailing.send_due(at + HOUR) == 1


def test_a_crash_while_sending_sends_no_second_mail(town: Town, post: Post) -> None:
    """What was being handed over is in doubt; it is not sent again, and the next mail says so."""
    only(town, "rita", answers="at once")
    answered(town)
    tell_all()
    at = dt.datetime.now(dt.UTC) + HOUR
    assert mailing.claim(at) == 1
    Mail.objects.update(state=Mail.State.SENDING)  # as a killed worker leaves it
    assert mailing.send_due(at + HOUR) == 0
    assert Mail.objects.get().state == "doubt"
    answered(town)
    tell_all()
    assert mailing.send_due(at + 2 * HOUR) == 1
    assert "1 earlier mail may not have arrived" in post.mails[0][1]


def test_a_crash_before_sending_sends_it(town: Town, post: Post) -> None:
    """What was claimed and never handed over goes out once."""
    only(town, "rita", answers="at once")
    answered(town)
    tell_all()
    at = dt.datetime.now(dt.UTC) + HOUR
    mailing.claim(at)
    assert mailing.send_due(at) == 1
    assert mailing.send_due(at) == 0


def test_mail_that_came_back_names_a_dead_address(town: Town, post: Post, tmp_path: Path) -> None:
    """A notice of failure about one of our mails buries the address; any other mail changes nothing."""
    only(town, "rita", answers="at once")
    answered(town)
    tell_all()
    mailing.send_due(dt.datetime.now(dt.UTC) + HOUR)
    box = mailbox.mbox(tmp_path / "bounces")
    plain = EmailMessage()
    plain["Subject"] = "out of office"
    plain.set_content(Mail.objects.get().message_id)
    box.add(plain)
    box.add(_notice(Mail.objects.get().message_id, "delayed", "4.2.1"))
    box.flush()
    assert bounces.read_bounces(tmp_path / "bounces") == (2, 0)
    box.add(_notice(Mail.objects.get().message_id, "failed", "5.1.1"))
    box.close()
    assert bounces.read_bounces(tmp_path / "bounces") == (3, 1)
    assert Address.objects.get().dead_at is not None


def _notice(message_id: str, action: str, status: str) -> bytes:
    return (
        "From: mailer-daemon@example.org\nTo: tocsin@example.org\nSubject: failure\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nIt could not be delivered.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
        f"Final-Recipient: rfc822; rita@example.org\nAction: {action}\nStatus: {status}\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {message_id}\n\n--b--\n"
    ).encode()


def test_a_mail_is_stopped_without_signing_in(town: Town, post: Post, client: Client) -> None:
    """The link in a mail stops the kinds that it told, by one post, and nothing else."""
    only(town, "rita", answers="at once", progress="at once")
    answered(town)
    tell_all()
    mailing.send_due(dt.datetime.now(dt.UTC) + HOUR)
    content = post.mails[0][1].replace("=\r\n", "").replace("\r\n ", "")
    begin = content.index("/notices/stop/")
    link = content[begin : content.index(">", begin)]
    assert "Stop these mails?" in client.get(link).content.decode()
    assert Wish.objects.filter(person=town.people["rita"], channel="at once").count() == 2
    client.post(link, {"List-Unsubscribe": "One-Click"})
    assert not Wish.objects.filter(person=town.people["rita"], channel="at once").exists()
    assert client.get("/notices/stop/nonsense").status_code == 404


def test_wishes_are_chosen_on_a_page(town: Town, client: Client) -> None:
    """Kinds that concern the reader alone; what is wrong is said and nothing is kept of it."""
    client.force_login(town.people["rita"])
    page = client.get("/notices").content.decode()
    assert "A log that we hold" in page and "A case comes to my unit" not in page
    form = {"answers": "at once", "digest_hour": "7", "day": ["1", "3"], "zone": "Europe/Amsterdam"}
    form |= {"quiet": "yes", "quiet_from": "22", "quiet_to": "6"}
    assert client.post("/notices", form).status_code == 302
    kept = Address.objects.get(person=town.people["rita"])
    assert (kept.digest_hour, kept.digest_days, kept.zone, kept.quiet_from) == (
        7,
        "13",
        "Europe/Amsterdam",
        22,
    )
    assert client.post("/notices", form | {"zone": "Mars/Olympus"}).status_code == 422
    assert client.post("/notices", form | {"day": []}).status_code == 422
    assert Address.objects.get(person=town.people["rita"]).zone == "Europe/Amsterdam"


INSTANTS = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
)


@given(
    INSTANTS,
    st.integers(0, 23),
    st.lists(st.integers(1, 7), min_size=1).map(lambda days: "".join(map(str, days))),
    st.sampled_from(["Europe/London", "Europe/Amsterdam", "America/New_York", "UTC"]),
)
def test_a_digest_comes_at_its_hour_on_its_days(at: dt.datetime, hour: int, days: str, zone: str) -> None:
    """Within eight days, at the hour on the wall (or the next that exists), on a day that was chosen."""
    address = Address(zone=zone, digest_hour=hour, digest_days=days)
    due = wishes.next_digest(address, at)
    local = due.astimezone(wishes.zone_of(address))
    assert at < due <= at + dt.timedelta(days=8, hours=2)
    assert str(local.isoweekday()) in days
    assert local.hour in (hour, (hour + 1) % 24)


@given(INSTANTS, st.integers(0, 23), st.integers(0, 23))
def test_nothing_is_sent_in_quiet_hours(at: dt.datetime, start: int, end: int) -> None:
    """What falls into them waits for their end, never longer than a day."""
    address = Address(zone="Europe/London", quiet_from=start, quiet_to=end)
    sent = wishes.outside_quiet(address, at)
    hour = sent.astimezone(wishes.zone_of(address)).hour
    assert at <= sent <= at + dt.timedelta(hours=25)
    if start != end:
        assert not (start <= hour < end if start < end else hour >= start or hour < end) or hour == end


def sealed(town: Town) -> Case:
    """A case that Saul sealed and Sonia, another supervisor, opened in need."""
    town.person("sonia", "supervisor", unit="kent")
    case = town.case_of(town.report("ferry", origins=("203.0.113.7",)))
    seal_case(case, town.actor("saul"), [town.people["olive"]], "A witness of the unit is in it")
    break_glass(town.actor("sonia"), case.case_id, "Mr Meadow of 12 High Street is in danger")
    return case


def test_who_sealed_a_case_and_coordinators_hear_by_mail_that_it_was_opened(town: Town, post: Post) -> None:
    """Who, of which unit, until when; neither what the case says nor what the reason does."""
    case = sealed(town)
    tell_all()
    assert mailing.send_due(dt.datetime.now(dt.UTC) + HOUR) >= 2
    told = {address: content for address, content in post.mails if "broke the seal" in content}
    assert told.keys() == {"saul@example.org", "cora@example.org"}
    for content in told.values():
        assert case.case_id in content and "Sonia, Kent Police" in " ".join(content.split())
        for secret in ("Meadow", "witness", "203.0.113.7", "assword", "rute", "Ferry"):
            assert secret not in content.split("broke the seal")[1], secret


@pytest.mark.parametrize(("name", "kind"), [("saul", "sealed"), ("cora", "seals")])
@pytest.mark.parametrize("channel", ["at once", "digest", "none"])
def test_a_broken_seal_is_mailed_as_its_reader_wishes(
    town: Town, post: Post, name: str, kind: str, channel: str
) -> None:
    """The alert on every page stays, whatever is wished."""
    only(town, name, **{kind: channel})
    sealed(town)
    tell_all()
    waiting = list(Item.objects.all())
    assert [(item.person.name, item.kind) for item in waiting] == (
        [] if channel == "none" else [(name.title(), kind)]
    )
    if channel == "digest":
        assert waiting[0].due_at > dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    assert Alert.objects.filter(person=town.people[name], words__contains="broke the seal").count() == 1
