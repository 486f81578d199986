"""The public pages: start, help, accessibility."""

from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from tocsin.access.policy import Actor
from tocsin.cases.models import Share
from tocsin.cases.reporter_home import funnel_of
from tocsin.cases.units import current_pack
from tocsin.cases.views import Funnel
from tocsin.doors.web import words
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import home_of, page
from tocsin.intake.models import Report
from tocsin.store import fence

COUNTED_FOR = 60  # seconds
FEW = 5  # smaller numbers could point at one member, so the public is not told them

GLOSSARY = (
    ("Report", "what a member tells the exchange about one attack; it gets a receipt at once"),
    ("Case", "one or more linked reports that one unit owns"),
    ("Unit", "a police force, regional unit, national agency or hotline that can own a case, joined or not"),
    (
        "Clock",
        "an obligation with a start, a due time, an owner and an end; running out shows to the reporter",
    ),
    ("Followed up", "a named person’s recorded decision with a reason, told to the reporter"),
    ("Outcome", "how a case ended, by code and in plain words, with what would have helped"),
    ("Holding", "a log that a provider keeps: what, from when to when, until when; never personal data"),
    ("Journal", "the append-only record of every act that creates or ends a duty"),
    ("Receipt", "proof that a report stands in the journal, checked without asking anybody"),
)


@guards("start.read")
def start(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What is this, and is it working?"""
    funnel = public_funnel()
    suppressed = funnel.received < FEW
    context = {
        "funnel": funnel,
        "steps": funnel_steps(funnel),
        "suppressed": suppressed,
        "sentence": FEWER_THAN_FEW if suppressed else funnel_sentence(funnel),
        "public_url": settings.PUBLIC_URL,
        "home": home_of(actor),
    }
    return page(request, "start", context)


@guards("start.read")
def help_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """How each of the four kinds of reader does their work."""
    return page(request, "help", {"glossary": GLOSSARY, "public_url": settings.PUBLIC_URL})


@guards("start.read")
def accessibility(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What was tested, and what was not."""
    return page(request, "accessibility")


FEWER_THAN_FEW = "Fewer than five reports have come in yet, too few to show figures that point at nobody."


def public_funnel() -> Funnel:
    """How far all reports came, counted at most once a minute, since anybody may ask at any rate."""
    known: Funnel | None = cache.get("funnel")
    if known is None:
        with fence.lifted():  # counted over everybody
            known = funnel_of(current_pack(), Report.objects.count(), Share.objects.all())
        cache.set("funnel", known, COUNTED_FOR)
    return known


@dataclass(frozen=True)
class Step:
    """One step of the funnel: `length` draws its bar, `said` is its number as the public may read it."""

    name: str
    length: int
    said: str


def funnel_steps(funnel: Funnel) -> list[Step]:
    """The funnel whole, step by step; a number that could point at one member is not told."""
    reached = (
        ("Received", funnel.received),
        ("Acknowledged", funnel.acknowledged),
        ("Owned", funnel.owned),
        ("Assessed", funnel.assessed),
        ("Investigated", funnel.investigated),
        ("Disrupted", funnel.disrupted),
        ("Charged", funnel.charged),
    )
    return [Step(name, max(number, FEW - 1) if number else 0, told(number)) for name, number in reached]


def told(number: int) -> str:
    """The number, or `under 5`."""
    return f"under {FEW}" if 0 < number < FEW else words.number_words(number)


def funnel_sentence(funnel: Funnel) -> str:
    """The funnel as one sentence; nothing in it counts an automatic act as follow-up."""
    came = words.count_words(funnel.received, "report")
    if not funnel.assessed:
        return f"None of {came} has been followed up by a person yet."
    waiting = funnel.received - funnel.assessed
    share = f" ({words.share_words(funnel.assessed, funnel.received)})" if funnel.assessed >= FEW else ""
    said = (
        f"Of {came}, {told(funnel.owned)} have a named owner "
        f"and {told(funnel.assessed)}{share} were followed up by a person"
    )
    return said + (f"; {told(waiting)} still wait." if waiting else "; none waits.")
