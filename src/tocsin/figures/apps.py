from django.apps import AppConfig


class FiguresConfig(AppConfig):
    name = "tocsin.figures"
    label = "figures"

    def ready(self) -> None:
        """Keep a count at hand, so that nobody waits for one."""
        from tocsin.figures.tasks import keep_fresh
        from tocsin.jobs.periodic import every

        every(15, keep_fresh)
