"""The addresses of the MISP feed."""

from django.urls import URLPattern, URLResolver, re_path

from tocsin.doors.misp import views

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^feed/manifest\.json$", views.read_manifest),
    re_path(r"^feed/hashes\.csv$", views.read_hashes),
    re_path(r"^feed/(?P<event>[^/]+)\.json$", views.read_event),
    re_path(r"", views.nothing_here),
]
