"""The WSGI application as `tocsin serve` runs it."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from tocsin.doors.admin.orphans import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tocsin.site.settings")
application = get_wsgi_application()
import_module(settings.ROOT_URLCONF)  # the first reader does not wait for it
# What is loaded by now stays: looking through it for garbage again and again held every page up.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 20)
end_with_parent()
