"""Signing in through the organisation's own identity provider (OpenID Connect Core 1.0), by allauth.

An account is tied to an identity by its owner, from the account's page. The provider is never asked to make
accounts, and an address alone ties nothing: whoever runs the provider could write any address.
"""

import time
from collections.abc import Mapping
from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access import accounts, factors
from tocsin.access.models import Person
from tocsin.access.policy import Actor
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import actor_of
from tocsin.doors.web.session import enter, safe_next, where_to
from tocsin.kernel.problems import NotFound

# RFC 8176: what a provider writes into `amr` where it saw more than a password.
STRONG = frozenset({"mfa", "hwk", "swk", "otp", "fpt", "face", "sc"})


@guards("session.open")
def openid_sign_in(request: HttpRequest, actor: Actor, provider_id: str) -> HttpResponse:
    """To the provider, and back by `openid_arrive`."""
    _known(provider_id)
    request.session["openid_next"] = safe_next(request.GET.get("next", ""))
    answer: HttpResponse = views.login(request, provider_id)
    return answer


@guards("session.open")
def openid_arrive(request: HttpRequest, actor: Actor, provider_id: str) -> HttpResponse:
    """Somebody comes back from the provider."""
    _known(provider_id)
    answer: HttpResponse = views.callback(request, provider_id)
    return answer


@guards("account.change", "POST", fresh=True)
def openid_tie(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ties one's account to one's identity at the provider: the next arrival in this session does it."""
    provider = settings.IDENTITY_PROVIDER
    if provider is None or actor.person is None:
        raise NotFound()
    request.session["openid_tie"] = actor.person.pk
    return HttpResponseRedirect(
        reverse("openid_connect_login", kwargs={"provider_id": provider["provider_id"]})
    )


@guards("account.change", "POST", fresh=True)
def openid_untie(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Takes the tie away."""
    accounts.untie(actor)
    messages.success(request, "You no longer sign in through your organisation.")
    return HttpResponseRedirect(reverse("account"))


def is_tied(person: Person) -> bool:
    """Does the person sign in through the provider?"""
    return bool(SocialAccount.objects.filter(user=person).exists())


class Arrivals(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth's hooks: who was let in by the provider is let in here, or told why not, by our own pages."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Raises ImmediateHttpResponse always: allauth's own sign-in and sign-up are never reached."""
        tie = request.session.pop("openid_tie", None)
        actor = actor_of(request)
        if tie is not None and actor.person is not None and actor.person.pk == tie:
            self._tie(request, actor, sociallogin)
        if not sociallogin.is_existing or not sociallogin.user.is_active:
            _refuse(
                request,
                "No account here is tied to that identity. Sign in by password or passkey, then tie it "
                "on your account’s page.",
            )
        person = Person.objects.get(pk=sociallogin.user.pk)
        strong = is_strong(sociallogin.account.extra_data)
        wanted = request.session.pop("openid_next", "")
        if factors.held_by(person).is_any and not strong:
            request.session["halfway"] = {"person": person.pk, "at": time.time(), "next": wanted, "typed": ""}
            raise ImmediateHttpResponse(HttpResponseRedirect(reverse("sign-in-second")))
        enter(request, person, second=strong)
        raise ImmediateHttpResponse(HttpResponseRedirect(where_to(request, wanted, "")))

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Mapping[str, Any] | None = None,
    ) -> None:
        """Whatever went wrong between the provider and us."""
        _refuse(request, "Your organisation did not confirm who you are. Try again, or sign in another way.")

    def _tie(self, request: HttpRequest, actor: Actor, sociallogin: SocialLogin) -> NoReturn:
        if sociallogin.is_existing:
            if actor.person is None or sociallogin.user.pk != actor.person.pk:
                messages.warning(request, "That identity is tied to another account here.")
        else:
            accounts.tie(actor, sociallogin.account)
            messages.success(request, "You can sign in through your organisation from now on.")
        raise ImmediateHttpResponse(HttpResponseRedirect(reverse("account")))


def is_strong(told: Mapping[str, Any]) -> bool:
    """Did the provider see more than a password, by its own word (`amr` of the ID token)?"""
    said = (told.get("id_token") or {}).get("amr") or ()
    return isinstance(said, list | tuple) and not STRONG.isdisjoint(map(str, said))


def _known(provider_id: str) -> None:
    provider = settings.IDENTITY_PROVIDER
    if provider is None or provider["provider_id"] != provider_id:
        raise NotFound()


def _refuse(request: HttpRequest, words: str) -> NoReturn:
    messages.warning(request, words)
    raise ImmediateHttpResponse(HttpResponseRedirect(reverse("sign-in")))
