"""The WSGI application as `tocsin serve` runs it."""

import os

from django.core.wsgi import get_wsgi_application

from tocsin.doors.admin.orphans import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tocsin.site.settings")
application = get_wsgi_application()
end_with_parent()
