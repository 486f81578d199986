from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "tocsin.access"
    label = "access"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Forget what keys were answered, a day later."""
        from tocsin.access import answered
        from tocsin.jobs import periodic

        periodic.every(600, answered.forget_old)
