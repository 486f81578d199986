from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "tocsin.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"
