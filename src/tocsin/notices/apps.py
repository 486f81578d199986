from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "tocsin.notices"
    label = "notices"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hear of what happens to reports and cases."""
        from tocsin.jobs import periodic
        from tocsin.journal.subscriptions import subscribe
        from tocsin.notices import delivering, mailing, services, tasks

        for source in services.SOURCES:
            subscribe(source, tasks.tell)
        periodic.every(20, mailing.send_due)
        periodic.every(5, delivering.deliver_due)
        periodic.every(6 * 3600, delivering.forget)
