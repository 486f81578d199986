"""The addresses of the MISP feed, and of what MISP's clients search and write."""

from django.urls import URLPattern, URLResolver, re_path

from tocsin.doors.misp import searching, session, views, writing

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^feed/manifest\.json$", views.read_manifest),
    re_path(r"^feed/hashes\.csv$", views.read_hashes),
    re_path(r"^feed/(?P<event>[^/]+)\.json$", views.read_event),
    re_path(r"^servers/getVersion$", session.read_version),
    re_path(r"^users/view/(?P<user>[^/]+)$", session.view_user),
    re_path(r"^attributes/describeTypes\.json$", session.describe_types),
    re_path(r"^attributes/restSearch$", searching.search_attributes),
    re_path(r"^events/restSearch$", searching.search_events),
    re_path(r"^events/view/(?P<event>[^/]+)$", searching.view_event),
    re_path(r"^events/add$", writing.add_event),
    re_path(r"^events/add/(?P<option>[^/]+)$", writing.add_event),
    re_path(r"^attributes/add/(?P<event>[^/]+)$", writing.add_attributes),
    re_path(r"^attributes/add/(?P<event>[^/]+)/(?P<option>[^/]+)$", writing.add_attributes),
    re_path(r"^sightings/add$", writing.add_sighting),
    re_path(r"^sightings/add/(?P<attribute>[^/]+)$", writing.add_sighting),
    re_path(r"", views.nothing_here),
]
