"""Every address of the exchange, door by door."""

from django.urls import include, path

urlpatterns = [
    path("", include("tocsin.doors.web.urls")),
    path("api/v1/", include("tocsin.doors.api.urls")),
    path("taxii2/", include("tocsin.doors.taxii.urls")),
    path("misp/", include("tocsin.doors.misp.urls")),
]

handler400 = "tocsin.doors.web.errors.bad_request"
handler403 = "tocsin.doors.web.errors.forbidden"
handler404 = "tocsin.doors.web.errors.not_found"
handler500 = "tocsin.doors.web.errors.server_error"
