"""A Django site, in one file, whose people log in at BlueRound.

`redcore-server run -- python examples/django_login.py runserver --noreload`
"""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path

from redcore import Client, login

settings.configure(
    SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY", "only for this example"),
    ALLOWED_HOSTS=["127.0.0.1", "testserver"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
)
CALLBACK = "http://127.0.0.1:8000/callback"


def start(request: HttpRequest) -> HttpResponse:
    """Send the person to the platform; the session keeps what the answer needs."""
    asked = login.authorization_request(
        client_id=os.environ["REDCORE_CLIENT_ID"], redirect_uri=CALLBACK
    )
    request.session["login"] = asked.as_dict()
    return HttpResponseRedirect(asked.url)


def callback(request: HttpRequest) -> HttpResponse:
    """Sign the person in."""
    asked = login.AuthorizationRequest(**request.session.pop("login"))
    secret = os.environ.get("REDCORE_CLIENT_SECRET")
    tokens = login.exchange_code(asked, request.GET.dict(), client_secret=secret)
    with Client.from_tokens(
        tokens, client_id=asked.client_id, client_secret=secret
    ) as client:
        request.session.cycle_key()  # a new session for a person who has just logged in
        return HttpResponse(client.users.get_me().name, content_type="text/plain")


urlpatterns: list[Any] = [path("login", start), path("callback", callback)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
