"""Background work of notices: one job for each act that members should hear of."""

from django_tasks import task

from tocsin.notices import services


@task()
def tell(first_seq: int, last_seq: int) -> None:
    """Project these journal entries into notices. Running it twice changes nothing."""
    services.tell(first_seq, last_seq)
