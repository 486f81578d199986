"""The addresses of TAXII 2.1. Each ends in a slash (section 3.1), and is served without one, too."""

from django.urls import URLPattern, URLResolver, re_path

from tocsin.doors.taxii import views

COLLECTION = r"^api/collections/(?P<collection>[^/]+)"
OBJECT = COLLECTION + r"/objects/(?P<object_>[^/]+)"

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^$", views.discover),
    re_path(r"^api/?$", views.read_root),
    re_path(r"^api/status/(?P<status>[^/]+)/?$", views.read_status),
    re_path(r"^api/collections/?$", views.list_collections),
    re_path(COLLECTION + r"/?$", views.read_collection),
    re_path(COLLECTION + r"/manifest/?$", views.read_manifest),
    re_path(COLLECTION + r"/objects/?$", views.objects),
    re_path(OBJECT + r"/?$", views.one_object),
    re_path(OBJECT + r"/versions/?$", views.read_versions),
    re_path(r"", views.nothing_here),
]
