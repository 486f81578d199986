"""A real OpenID Connect provider in a process of its own: `python identity_provider.py PORT FOLDER REDIRECT`.

allauth's own, on loopback, with one person (`nora`, password `nora`) and one client (`tocsin`, `a secret`).
"""

import os
import sys
import types

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

URLS = "provider_urls"


def main() -> None:
    """Serve until ended."""
    port, folder, redirect = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    import django
    from django.conf import settings

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    settings.configure(
        DEBUG=False,
        SECRET_KEY="a provider of tests",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=URLS,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/idp.sqlite3"}},
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django.contrib.sessions",
            "django.contrib.messages",
            "allauth",
            "allauth.account",
            "allauth.idp.oidc",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
        ACCOUNT_EMAIL_VERIFICATION="none",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # as the exchange's tests do
        IDP_OIDC_PRIVATE_KEY=key.decode(),
        USE_TZ=True,
    )
    django.setup()
    sys.modules[URLS] = _urls()
    _people(redirect)
    from wsgiref.simple_server import make_server

    from django.core.wsgi import get_wsgi_application

    with make_server("127.0.0.1", port, get_wsgi_application()) as server:
        print("ready", flush=True)
        server.serve_forever()


def _urls() -> types.ModuleType:
    """The addresses; made once Django is set up, because they need its models."""
    from django.urls import include, path

    module = types.ModuleType(URLS)
    vars(module)["urlpatterns"] = [
        path("", include("allauth.idp.urls")),
        path("accounts/", include("allauth.account.urls")),
    ]
    return module


def _people(redirect: str) -> None:
    from allauth.account.models import EmailAddress
    from allauth.idp.oidc.models import Client
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    nora = User.objects.create_user("nora", "nora@organisation.example", "nora")
    EmailAddress.objects.create(user=nora, email=nora.email, verified=True, primary=True)
    client = Client(id="tocsin", name="Tocsin", redirect_uris=redirect, skip_consent=True)
    client.scopes = "openid\nprofile\nemail"
    client.set_secret("a secret")
    client.save()


if __name__ == "__main__":
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    main()
