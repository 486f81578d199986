"""What a minute buys: the effort model, documented and conservative.

No survey has timed these acts, so every figure is an assumption, chosen against Tocsin: the habits of 2016
are given short times and Tocsin long ones. `sensitivity` says how far they may be wrong.
"""

from dataclasses import dataclass, replace

DEADLINE_DAYS = 28  # a report that nobody answered by then counts as never answered
INVESTIGATED = ("high", "critical")  # severities that are investigated, in both worlds


@dataclass(frozen=True)
class Habits:
    """Officer-minutes for one report, by mail or telephone, as in 2016; and what a provider's desk spends.

    Every report is a piece of work of its own: nothing says that forty others are about the same attacker.
    """

    read: float = 6.0  # an unstructured mail, with log lines in it
    look_up: float = 4.0  # is it known? by hand, in the force's own system
    ask: float = 5.0  # which logs are there? the letter to the provider
    record: float = 12.0  # the second keyboard: the crime record, typed
    decide: float = 5.0
    write_back: float = 5.0
    investigate: float = 120.0  # the work itself, for what is investigated
    answer_waits_days: int = 3  # until the provider's answer about its logs is there
    gives_up_days: int = DEADLINE_DAYS  # older mail is not opened any more
    desk_report: float = 15.0  # provider-minutes for one report
    desk_minutes_a_week: float = 60.0  # what a desk has for it: some four reports, the heaviest first

    @property
    def first_look(self) -> float:
        """Until somebody knows what a report is about."""
        return self.read + self.look_up

    @property
    def to_decide(self) -> float:
        """From there to a decision that stands in a record."""
        return self.ask + self.record + self.decide


@dataclass(frozen=True)
class Exchange:
    """Officer-minutes for one case on the exchange, and for the coordinator where a unit has not joined."""

    read: float = 4.0  # the case on one screen
    read_a_report: float = 0.05  # more for each linked report, up to `read_most`
    read_most: float = 10.0
    decide: float = 3.0  # with the prepared reason
    answer: float = 4.0  # with the prepared words
    update: float = 1.0  # "how it stands", where nothing has changed
    investigate: float = 120.0
    send_packet: float = 6.0  # the coordinator's, for a case of a unit that has not joined
    by_link: float = 4.0  # more for an officer without an account
    glance: float = 0.5  # a group below the threshold, looked over in its row
    refused: float = 1.0  # a row that somebody else was quicker with

    def read_case(self, reports: int) -> float:
        """Reading a case of so many reports."""
        return min(self.read + self.read_a_report * reports, self.read + self.read_most)

    def groups(self, count: int) -> float:
        """Looking over so many groups below the threshold and deciding them in one press."""
        return self.glance * count + self.decide

    def times(self, factor: float) -> "Exchange":
        """The same acts, each so many times as long; investigating stays what it is."""
        acts = ("decide", "answer", "update", "send_packet", "by_link", "glance")
        names = ("read", "read_a_report", "read_most", *acts)
        return replace(self, **{name: getattr(self, name) * factor for name in names})


# How forces answered in 2016, put in and not found: the published survey's own shares of "usually",
# "occasionally" and "never", each with the chance that a report which was dealt with is also told.
TELLING = ((0.20, 0.9), (0.50, 0.4), (0.30, 0.0))
