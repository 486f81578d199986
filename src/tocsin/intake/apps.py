from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "tocsin.intake"
    label = "intake"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tocsin.intake.audit import check_reports
        from tocsin.journal import audit

        audit.also(check_reports)
