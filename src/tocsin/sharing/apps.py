from django.apps import AppConfig


class SharingConfig(AppConfig):
    name = "tocsin.sharing"
    label = "sharing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hear of new reports, and sweep what expires."""
        from tocsin.jobs import periodic
        from tocsin.jobs.queue import WARNINGS
        from tocsin.journal.subscriptions import subscribe
        from tocsin.sharing import tasks, telling

        for source in tasks.NEWS:
            subscribe(source, tasks.assert_new)
        subscribe(tasks.WRITTEN, tasks.believe_contributions)
        for event in telling.EVENTS:
            subscribe(event, tasks.tell_machines)
        periodic.every(3_600, tasks.make_ready, queue=WARNINGS)
        periodic.every(15, tasks.sweep_indicators)
        periodic.every(30, tasks.watch_readers)
        periodic.every(3_600, tasks.weigh_sources)
