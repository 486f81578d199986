"""What an answer must say, and the words that it begins with: the pack's rules on outcomes."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tocsin.kernel.problems import BadInput
from tocsin.reference.values import LOG, OutcomeRow, Pack, StatusRow

FEWEST_MEMBERS = 5  # below it a sum over members would tell one of them how much the others had


@dataclass(frozen=True)
class CaseFacts:
    """What is known of a case as a whole."""

    attempts: int
    members: int
    networks: int
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    is_partial: bool = False  # the attempts are those of some reports: there were more

    @property
    def attempts_words(self) -> str:
        """`1,234`, or `more than 1,234` where not all were counted."""
        return f"more than {self.attempts:,}" if self.is_partial else f"{self.attempts:,}"


def fact_words(facts: CaseFacts) -> str:
    """One sentence that may be read by every reporter of the case: sums only where they give nobody away."""
    days = (facts.last_seen_at.date() - facts.first_seen_at.date()).days + 1
    period = f"on {_day(facts.first_seen_at)}" if days == 1 else f"over {days} days"
    source = f" from {facts.networks} network{'s' if facts.networks != 1 else ''}" if facts.networks else ""
    if facts.members == 1 or facts.members >= FEWEST_MEMBERS:
        attempts = f"{facts.attempts_words} attempt{'s' if facts.attempts != 1 else ''}"
        return f"It was about {attempts}{source} {period}."
    return f"It was about attempts{source} {period}."


def _day(at: dt.datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def prepared_words(row: OutcomeRow, facts: CaseFacts) -> str:
    """The words that an answer form begins with; `{receiving_body}` is filled in when it is known."""
    return row.words.replace("{facts}", fact_words(facts)).strip()


def prepared_reason(row: StatusRow, facts: CaseFacts | None) -> str:
    """What a decision says where nobody types a reason: nothing of an operation, nor of other members."""
    return " ".join(row.reason.replace("{facts}", fact_words(facts) if facts else "").split())


def missing_logs(pack: Pack, held: Collection[str]) -> list[str]:
    """The types of log that no reporter of the case held, as codes of what would have helped."""
    return [f"{LOG}{log_type}" for log_type in pack.log_types if log_type not in held]


def check_answer(
    pack: Pack,
    outcome_code: str,
    words: str,
    would_have_helped: Sequence[str],
    receiving_body: str,
    unit_id: str,
) -> OutcomeRow:
    """The outcome's row. Raises BadInput for what an answer with this outcome lacks."""
    row = pack.outcomes.get(outcome_code)
    if row is None:
        raise BadInput(f"{outcome_code!r} is no outcome", hint=f"one of {', '.join(pack.outcomes)}")
    if row.only_units and unit_id not in row.only_units:
        names = " or ".join(pack.units[other].name for other in row.only_units)
        raise BadInput(f"outcome {outcome_code} may only be given by {names}")
    if not words.strip():
        raise BadInput("an answer needs words that the reporter can read")
    unknown = [code for code in would_have_helped if not pack.is_help(code)]
    if unknown:
        raise BadInput(
            f"{unknown[0]!r} is nothing that would have helped",
            hint=f"one of {', '.join(pack.help)}, or log: and a type of log",
        )
    if row.needs_help and not would_have_helped:
        raise BadInput(f"outcome {outcome_code} must say what would have helped", hint="tick at least one")
    if row.needs_receiving_body and not receiving_body.strip():
        raise BadInput(f"outcome {outcome_code} must name the body that takes it on")
    return row
