from django.apps import AppConfig


class BlockingConfig(AppConfig):
    name = "tocsin.blocking"
    label = "blocking"
    default_auto_field = "django.db.models.BigAutoField"
