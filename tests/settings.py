"""The exchange's settings for tests: a home of its own, quick password hashing."""

import os
import tempfile

os.environ["TOCSIN_HOME"] = tempfile.mkdtemp(prefix="tocsin-test-")
# Warning lists take seconds to build and are the same for all test runs of one person.
os.environ["TOCSIN_CACHE"] = f"{tempfile.gettempdir()}/tocsin-test-cache-{os.getuid()}"

# Most tests are not about second factors; those that are say so.
os.environ["TOCSIN_SECOND_FACTOR"] = "none"

from tocsin.site.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
