from django.apps import AppConfig


class FiguresConfig(AppConfig):
    name = "tocsin.figures"
    label = "figures"

    def ready(self) -> None:
        """Keep a count at hand, so that nobody waits for one."""
        from tocsin.figures.queries import refresh
        from tocsin.jobs.periodic import every

        every(15, refresh)
