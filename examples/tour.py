"""A tour of the RedCore SDK against a real reference server: what it does for an app.

`nox -s demo` runs it. Each step says what it does, does it, and checks that it came out
right; the first that does not ends the tour with exit code 1.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import httpx

from redcore import (
    AsyncClient,
    AuthenticationError,
    Client,
    DuplicateError,
    RedcoreAPIError,
    User,
    UserRole,
    UserStatus,
    ValidationError,
)
from redcore.testing import ApiKeyArguments, Fault, Lab, Mail, ReferenceServer

USERS = 250
CONCURRENT = 200


class TourError(Exception):
    """A step did not come out right."""


def step(title: str) -> None:
    print(f"\n— {title}")


def say(text: str) -> None:
    print(f"    {text}")


def check(held: object, expected: str) -> None:
    if not held:
        raise TourError(f"expected {expected}")


# Calls that just work ----------------------------------------------------------------


def connect(client: Client) -> None:
    step("Connect, and ask who we are")
    me = client.users.get_me()
    say(f"{me.name} <{me.email}>, {me.role}, {me.status}")
    check(
        me.role is UserRole.ADMIN and me.status is UserStatus.ACTIVE, "an active admin"
    )
    check(me["email"] == me.email, "an object that also answers as a mapping")


def create_a_user(client: Client) -> User:
    step("Create a user")
    user = client.users.create(
        email="ada@example.com", name="Ada Lovelace", role="editor"
    )
    say(f"{user.id} is {user.status}: an invitation is on its way")
    check(user.status is UserStatus.PENDING_INVITE, "a user who is invited")
    check(client.users.get(user.id).email == "ada@example.com", "the same user again")
    return user


async def create_many_users(credentials: ApiKeyArguments) -> None:
    step(f"Create {USERS} more with AsyncClient, 16 at a time")
    gate = asyncio.Semaphore(16)
    began = time.perf_counter()
    async with AsyncClient(**credentials) as client:

        async def create(number: int) -> None:
            async with gate:
                await client.users.create(
                    email=f"user{number}@example.com", name=f"User {number}"
                )

        await asyncio.gather(*(create(number) for number in range(USERS)))
    say(f"{USERS} created in {time.perf_counter() - began:.1f} s")


def page_through(client: Client) -> list[User]:
    step("Page through all users")
    users: list[User] = []
    for page in client.users.list_all(page_size=100):
        say(f"page at offset {page.meta.offset}: {len(page)} of {page.meta.total}")
        users.extend(page)
    check(
        len({user.id for user in users}) == len(users) == USERS + 2,
        "each user exactly once",
    )
    return users


async def get_concurrently(credentials: ApiKeyArguments, users: list[User]) -> None:
    step(f"Fetch {CONCURRENT} users at once")
    began = time.perf_counter()
    async with AsyncClient(**credentials) as client:
        fetched = await asyncio.gather(
            *(client.users.get(user.id) for user in users[:CONCURRENT])
        )
    say(f"{len(fetched)} answers in {time.perf_counter() - began:.1f} s")
    check(
        [user.id for user in fetched] == [user.id for user in users[:CONCURRENT]],
        "every answer in its place",
    )


# Errors that say what to do ----------------------------------------------------------


def duplicate(client: Client) -> None:
    step("Create the same user again, spelled differently")
    try:
        client.users.create(email="ADA@Example.com", name="Ada Lovelace")
    except DuplicateError as error:
        say(f"DuplicateError: {error}")
        check(
            error.code == "DUPLICATE_RESOURCE" and error.request_id,
            "a duplicate, with its request id",
        )
    else:
        raise TourError("expected DuplicateError")


def validation(client: Client) -> None:
    step("Send fields that are not valid")
    try:
        client.users.create(email="not an address", name="")
    except ValidationError as error:
        for detail in error.details:
            say(f"{detail.field}: {detail.issue}")
        check(
            {detail.field for detail in error.details} == {"email", "name"},
            "both fields named",
        )
    else:
        raise TourError("expected ValidationError")


# What the SDK does without being asked -----------------------------------------------


def silent_refresh(client: Client, lab: Lab, refreshed: list[dict[str, Any]]) -> None:
    step("Let the access token expire")
    client.users.get_me()
    check(len(refreshed) == 1, "one token pair so far")
    lab.advance_clock(3700)
    me = client.users.get_me()
    say(
        f"an hour later the same call still answers: {me.name}; "
        f"tokens were refreshed {len(refreshed) - 1} time"
    )
    check(len(refreshed) == 2, "one refresh")
    check(
        refreshed[0]["refresh_token"] != refreshed[1]["refresh_token"],
        "a refresh token that rotates",
    )


def retry_until_it_works(client: Client, lab: Lab, user: User) -> None:
    step("The server fails twice, then works: 503, 500, 200")
    lab.inject("GET", "/v1/users/*", [Fault(status=503), Fault(status=500)])
    began = time.perf_counter()
    client.users.get(user.id)
    waited = time.perf_counter() - began
    say(f"answered after {waited:.1f} s: 1 s and 2 s of back-off, ±10 %")
    check(2.7 <= waited < 6, "about three seconds")


def give_up(client: Client, lab: Lab, user: User) -> None:
    step("The server fails three times")
    lab.inject("GET", "/v1/users/*", [Fault(status=500)] * 3)
    try:
        client.users.get(user.id)
    except RedcoreAPIError as error:
        say(f"RedcoreAPIError: {error}")
        check(error.status_code == 500, "the error of the last attempt")
    else:
        raise TourError("expected RedcoreAPIError")


def rate_limit(client: Client, lab: Lab, user: User) -> None:
    step("The server asks to slow down: 429, Retry-After: 2")
    lab.inject("GET", "/v1/users/*", [Fault(status=429, retry_after=2)])
    began = time.perf_counter()
    client.users.get(user.id)
    waited = time.perf_counter() - began
    say(f"answered after {waited:.2f} s: exactly as long as asked, without jitter")
    check(2.0 <= waited < 4, "two seconds")


def invitation(lab: Lab, user: User) -> None:
    step("Look for the invitation in the outbox")
    ends = time.monotonic() + 20
    mails: list[Mail] = []
    while not mails and time.monotonic() < ends:
        mails = [mail for mail in lab.outbox() if mail.to == user.email]
        time.sleep(0.1)
    check(len(mails) == 1 and mails[0].link, "one mail with a link")
    say(f"“{mails[0].subject}” to {mails[0].to}, with a link that works once")


def revoke(
    client: Client, server: ReferenceServer, refreshed: list[dict[str, Any]]
) -> None:
    step("Revoke the session")
    pair = refreshed[-1]
    client.auth.revoke(token=pair["refresh_token"])
    check(
        client.auth.introspect(token=pair["access_token"]).active is False,
        "an access token that died with it",
    )
    client.users.get_me()
    say("the next call authenticated again with the application's own id and secret")
    check(refreshed[-1]["access_token"] != pair["access_token"], "a new pair")
    with Client(
        base_url=server.base_url, access_token=pair["access_token"]
    ) as stranded:
        try:
            stranded.users.get_me()
        except AuthenticationError as error:
            say(
                "a client with nothing but the dead token gets "
                f"AuthenticationError: {error.code}"
            )
        else:
            raise TourError("expected AuthenticationError")


def announce(response: httpx.Response) -> None:
    """Print an attempt that failed, as it happens."""
    if response.status_code >= 500 or response.status_code == 429:
        say(f"{time.strftime('%H:%M:%S')} the server answers {response.status_code}")


def main() -> None:
    """Take the tour, with a server that is started for it."""
    print(
        "Starting a reference server: "
        "gateway, auth service, API, worker, PostgreSQL and Redis …"
    )
    began = time.perf_counter()
    with (
        ReferenceServer() as server,
        httpx.Client(event_hooks={"response": [announce]}) as http,
    ):
        say(f"ready at {server.origin} after {time.perf_counter() - began:.1f} s")
        refreshed: list[dict[str, Any]] = []
        with (
            Client(**server.api_key, http_client=http) as client,
            Client(
                **server.application, on_token_refreshed=refreshed.append
            ) as session,
        ):
            connect(client)
            ada = create_a_user(client)
            duplicate(client)
            validation(client)
            asyncio.run(create_many_users(server.api_key))
            users = page_through(client)
            asyncio.run(get_concurrently(server.api_key, users))
            silent_refresh(session, server.lab, refreshed)
            retry_until_it_works(client, server.lab, ada)
            give_up(client, server.lab, ada)
            rate_limit(client, server.lab, ada)
            invitation(server.lab, ada)
            revoke(session, server, refreshed)
    print(f"\nAll steps came out right, in {time.perf_counter() - began:.1f} s.")


if __name__ == "__main__":
    try:
        main()
    except TourError as error:
        sys.exit(f"\nThe tour ends here: {error}.")
