"""What the exchange is told of its identity provider; pure, because settings read it."""

from collections.abc import Mapping
from typing import Any

from tocsin.kernel.problems import BadInput

PROVIDER_ID = "organisation"


def openid_provider(environment: Mapping[str, str]) -> dict[str, Any] | None:
    """allauth's settings of the one OpenID Connect provider, or None where no address of one is given.

    `TOCSIN_OIDC_URL` is the issuer, `TOCSIN_OIDC_CLIENT` and `TOCSIN_OIDC_SECRET` what it knows us by,
    `TOCSIN_OIDC_NAME` how the sign-in page calls it. Raises BadInput where one of them is missing.
    """
    issuer = environment.get("TOCSIN_OIDC_URL", "")
    if not issuer:
        return None
    client, secret = environment.get("TOCSIN_OIDC_CLIENT", ""), environment.get("TOCSIN_OIDC_SECRET", "")
    if not client or not secret:
        raise BadInput(
            "TOCSIN_OIDC_URL is set without TOCSIN_OIDC_CLIENT and TOCSIN_OIDC_SECRET",
            hint="register the exchange with the provider and set both",
        )
    return {
        "provider_id": PROVIDER_ID,
        "name": environment.get("TOCSIN_OIDC_NAME", "") or "your organisation",
        "client_id": client,
        "secret": secret,
        "settings": {"server_url": issuer, "oauth_pkce_enabled": True},
    }
