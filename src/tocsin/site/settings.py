"""Settings of an exchange: good without any, changed by `TOCSIN_…` environment variables."""

import os
from pathlib import Path

from tocsin.access.providers import openid_provider
from tocsin.site.home import Home
from tocsin.site.mail import mail_settings
from tocsin.store.urls import database_settings

HOME = Home(Path(os.environ.get("TOCSIN_HOME") or "var/exchange"))

CACHE = Path(os.environ.get("TOCSIN_CACHE") or HOME.path)  # what can be built again: warning lists

SECRET_KEY = HOME.secret("django.key")
DEBUG = os.environ.get("TOCSIN_DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("TOCSIN_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
ORIGIN = os.environ.get("TOCSIN_ORIGIN", "tocsin.invalid")  # the exchange's name in tree heads
PUBLIC_URL = os.environ.get("TOCSIN_URL", "http://127.0.0.1:8000")
PRETEND_PUBLIC = tuple(filter(None, os.environ.get("TOCSIN_PRETEND_PUBLIC", "").split(",")))  # demo and tests
SHARING_TLP = os.environ.get("TOCSIN_TLP", "green")  # clear, green or amber: how far members may pass it on
COUNTRY_PACK = os.environ.get("TOCSIN_COUNTRY", "gb")

# Roles that act only after a second factor: a list of their names, or `none`.
SECOND_FACTOR_ROLES = frozenset(
    os.environ.get(
        "TOCSIN_SECOND_FACTOR", "administrator,officer,supervisor,coordinator,operator,trusted"
    ).split(",")
) - {"none", ""}
IDENTITY_PROVIDER = openid_provider(os.environ)  # None: nobody signs in by OpenID Connect
PROXIES = frozenset(filter(None, os.environ.get("TOCSIN_PROXIES", "").split(",")))  # whose word we take
FENCE = os.environ.get("TOCSIN_FENCE", "on") == "on"  # row-level security, on PostgreSQL

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "django_tasks",
    "django_tasks_db",
    "tocsin.access.apps.AccessConfig",
    "tocsin.journal.apps.JournalConfig",
    "tocsin.inventory.apps.InventoryConfig",
    "tocsin.intake.apps.IntakeConfig",
    "tocsin.cases.apps.CasesConfig",
    "tocsin.notices.apps.NoticesConfig",
    "tocsin.sharing.apps.SharingConfig",
    "tocsin.blocking.apps.BlockingConfig",
    "tocsin.figures.apps.FiguresConfig",
]

MIDDLEWARE = [
    "tocsin.site.proxies.ProxyMiddleware",
    "tocsin.site.headers.SecurityHeaders",
    "tocsin.doors.api.problems.ProblemMiddleware",
    "tocsin.site.fences.FenceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tocsin.site.texts.TextMiddleware",
]

ROOT_URLCONF = "tocsin.site.urls"
WSGI_APPLICATION = "tocsin.site.wsgi.application"
AUTH_USER_MODEL = "access.Person"
DATABASES = {"default": database_settings(os.environ.get("DATABASE_URL", ""), HOME.path / "exchange.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # What the worker counted and drew, for every process of this machine.
    "figures": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": HOME.path / "figures",
    },
}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "warnings"]}}

# Webhooks go to https addresses on the public internet; a test or a closed network may allow any.
WEBHOOKS_ANYWHERE = os.environ.get("TOCSIN_WEBHOOKS_ANYWHERE") == "1"

# Mail goes out where a server is named: smtp://user:password@host:587 (STARTTLS) or smtps://host:465;
# smtp+plain:// is for a server on this machine.
MAIL = mail_settings(os.environ.get("TOCSIN_SMTP", ""))
MAIL_IS_ON = bool(MAIL)
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = MAIL.get("host", "127.0.0.1"), MAIL.get("port", 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.get("user", ""), MAIL.get("password", "")
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.get("starttls", False), MAIL.get("tls", False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("TOCSIN_MAIL_FROM", f"Tocsin <tocsin@{ORIGIN}>")

USE_TZ = True
TIME_ZONE = "Europe/London"
LANGUAGE_CODE = "en-gb"
USE_I18N = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [Path(__file__).parent / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 86_400  # addresses change with content (site.jinja.asset)

LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

# allauth keeps second factors, sessions and the ties to an identity provider; every page is ours.
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_ADAPTER = "tocsin.access.factors.Factors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # steps of 30 s, for clocks that are a little off
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = False
SOCIALACCOUNT_ADAPTER = "tocsin.doors.web.openid.Arrivals"
SOCIALACCOUNT_LOGIN_ON_GET = True  # a form that leads elsewhere is what our content policy forbids
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10  # seconds
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [IDENTITY_PROVIDER] if IDENTITY_PROVIDER else []}}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_CONTENT_TYPE_NOSNIFF = True
CSRF_FAILURE_VIEW = "tocsin.doors.web.errors.form_from_elsewhere"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_HSTS_SECONDS = 31_536_000 if PUBLIC_URL.startswith("https://") else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "tocsin.site.jinja.environment",
            "context_processors": ["tocsin.site.jinja.forms"],
        },
    },
]
