"""Tasks for the tests of the queue."""

from django_tasks import task

ran: list[tuple[int, int]] = []
broken: set[int] = set()


@task()
def note(first_seq: int, last_seq: int) -> None:
    """Remember having been run; fail where the test says so."""
    if first_seq in broken:
        raise ValueError(f"broken at {first_seq}")
    ran.append((first_seq, last_seq))


@task()
def chain(first_seq: int, last_seq: int) -> None:
    """Enqueue another job."""
    note.enqueue(first_seq, last_seq)
