"""What each public figure means: its definition, its query, its error, and what stands behind it.

They are read on the page beside the number; whoever changes a count changes its words here.
"""

from tocsin.figures.rules import FEW
from tocsin.figures.values import Method

SUPPRESSED = f"Numbers from 1 to {FEW - 1} are told as “under {FEW}”."
CLOSED_DOOR = (
    "The reports behind it are open to the member that sent each and to the unit that owns it, and to "
    "nobody else: a list of them would tell competitors about each other."
)

FOLLOW_UP = Method(
    name="follow-up",
    title="How far reports come",
    definition=(
        "Reports since this exchange began, by how far they came. Each step counts the reports that came "
        "at least so far or were answered past it. Acknowledged: the receipt, which is automatic and is "
        "no follow-up. Owned: a named person has the case. Assessed: a named person recorded a decision "
        "with a reason, for the report or for the group of attacks it belongs to."
    ),
    query=(
        "Every report and its undetached link to a case, counted by the stage that the country pack "
        "gives to the status of the report or, once the case is answered, to the outcome."
    ),
    error=f"A full count, no sample. {SUPPRESSED}",
    opens_to=CLOSED_DOOR,
    label_head="Step",
    columns=("reports", "% of received"),
)

FIRST_ANSWER = Method(
    name="first-answer",
    title="Time to the first answer",
    definition=(
        "From the receipt of a report to the first decision or outcome that a named person recorded on "
        "its case after that. A receipt, an owner’s name and any other automatic act are no answer. A "
        "report that joins a case after a person decided it is counted apart as automatic, and so is one "
        "that is no matter for police."
    ),
    query=(
        "Undetached links of reports received in the last 90 days, with the earliest decision, or outcome "
        "not taken back, of their case at or after the report’s receipt. Quantiles by the product limit "
        "of Kaplan and Meier: whoever waits counts as waiting longer than until now."
    ),
    error=(
        "A full count, no sample; times to the minute. “Not reached” means that too many still wait for "
        f"the share to be known. {SUPPRESSED}"
    ),
    opens_to=CLOSED_DOOR,
    label_head="What",
    columns=("reports", "time"),
)

OVERDUE = Method(
    name="overdue",
    title="Overdue, by unit",
    definition=(
        "Open cases with at least one duty whose due time has passed: to accept, to decide, to say how it "
        "stands, or to tell the outcome (clocks P02 to P05). A unit that has not joined counts like any "
        "other, and its clocks run."
    ),
    query="Open cases with a running clock P02, P03, P04 or P05 due by now, by investigating unit.",
    error=(
        f"A full count, no sample. A unit with 1 to {FEW - 1} is not named, and no exact total is given, "
        "so that none can be told from the rest."
    ),
    opens_to=(
        "Each unit opens its own in its queue, the coordinator all of them; a list in public would name "
        "the reporting providers."
    ),
    label_head="Unit",
    columns=("cases overdue", "longest overdue"),
)

USEFULNESS = Method(
    name="usefulness",
    title="How useful answers are",
    definition=(
        "What reporters said of how their cases ended in the last 90 days: of no use, of some use, useful. "
        "One word for each member and answer, the last that it gave. Nobody has to rate, so this speaks for "
        "those who did and for nobody else."
    ),
    query=(
        "Ratings of cases closed in the last 90 days, by step; of a case that was opened again since, none."
    ),
    error=(
        f"A full count of those who rated. {SUPPRESSED} Where one step is, no total and no share is given, "
        "so that it cannot be told from the rest."
    ),
    opens_to="Each unit reads its own ratings, with their notes, beside the case.",
    label_head="Said",
    columns=("ratings", "% of ratings"),
)

STOPPED = Method(
    name="stopped",
    title="Connections stopped",
    definition=(
        "Connections to a shared address or name that a member’s firewall or resolver refused, as the "
        "member counted them in its own log: one refused question to a resolver, or one packet at a "
        "firewall. Who tries again is counted again, so this is no number of people, machines or attacks."
    ),
    query=(
        "The sum of the hourly tallies of all members, by the week (from Monday, UTC) of the hour they "
        "are for; of several numbers for one log, indicator and hour the highest."
    ),
    error=(
        "Only members that send tallies are counted, so the truth is higher; a late tally changes a past "
        f"week. Fewer than {FEW} networks are told as “under {FEW}”, and what they stopped is rounded "
        "down to its first digit, because it could be one competitor’s."
    ),
    opens_to=(
        "A reporter sees on each report what it stopped. Hits by indicator or by member are shown to "
        "nobody else: they would tell competitors about each other."
    ),
    label_head="Week from",
    columns=("connections", "networks"),
)
