"""Every address of the exchange, door by door."""

from django.urls import include, path

urlpatterns = [
    path("", include("tocsin.doors.web.urls")),
    path("api/v1/", include("tocsin.doors.api.urls")),
]
