"""The addresses of the REST interface."""

from django.urls import URLPattern, URLResolver, path

from tocsin.doors.api.interface import api

urlpatterns: list[URLPattern | URLResolver] = [path("", api.urls)]
