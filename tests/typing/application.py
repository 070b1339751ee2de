"""A program as a user would write it: checked by mypy, pyright and pyrefly, all strict, without one ignore; never run.

A subclass, a retry policy, hooks, helpers with types of their own, plain data and back, a class of its own in a
converter, mocks, walks, errors, and the same in the other colour.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from unittest.mock import MagicMock, create_autospec

import attrs
from tenacity import (
    RetryCallState,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

import redcore
from redcore import (
    ArgumentError,
    AsyncClient,
    Attempt,
    AuthenticationError,
    Client,
    ConflictError,
    DuplicateError,
    ErrorDetail,
    Hooks,
    Model,
    NetworkError,
    NotFoundError,
    Page,
    Product,
    RateLimitError,
    RedcoreAPIError,
    RedcoreError,
    RequestTimeoutError,
    Retry,
    Scope,
    ServerError,
    User,
    UserRole,
    UserStatus,
    ValidationError,
    WorkflowRun,
    WorkflowRunStatus,
)

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Model)


# A subclass of the client --------------------------------------------------------------------


def is_worth_it(error: BaseException) -> bool:
    """Retry what the SDK would, and objects that do not exist yet."""
    return isinstance(error, NotFoundError) or (isinstance(error, RedcoreError) and error.is_retry_safe)


def longer_each_time(state: RetryCallState) -> float:
    """A custom wait."""
    return 0.5 * state.attempt_number


PATIENT = Retry(
    stop=stop_after_attempt(6) | stop_before_delay(10),
    wait=wait_random_exponential(max=20),
    retry=retry_if_exception(is_worth_it),
)
HASTY = Retry(wait=longer_each_time, retry=retry_if_exception_type((NetworkError, ServerError)), max_retries=1)


class ShopClient(Client):
    """Knows its shop."""

    def __init__(self, shop: str, *, api_key: str | None = None) -> None:
        super().__init__(api_key=api_key, retry=PATIENT, hooks=Hooks(before_attempt=self._mark))
        self.shop = shop

    def _mark(self, attempt: Attempt) -> dict[str, str]:
        return {"X-Shop": self.shop, "X-Attempt": str(attempt.number)}

    def products_of(self, status: str | None = None) -> Iterator[Product]:
        """Return all products of the shop, or those of one status."""
        for product in self.products.list_all(q=self.shop).iter_items():
            if status is None or product.status == status:
                yield product

    def in_a_hurry(self) -> ShopClient:
        """Return the same shop, with less time."""
        return self.with_options(timeout=2, deadline=5, retry=HASTY)


# Helpers with types --------------------------------------------------------------------------


def or_none(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Return the result of a call, or None if there is no such object."""
    try:
        return call(*args, **kwargs)
    except NotFoundError:
        return None


def invite(client: Client, email: str, *, role: UserRole = UserRole.VIEWER) -> User:
    """Create a user, or return the one who has the address."""
    try:
        return client.users.create(email=email, name=email.partition("@")[0], role=role)
    except DuplicateError:
        (found,) = client.users.list(q=email, limit=1)
        return found


def lock_out(client: Client, users: Iterable[User]) -> list[User]:
    """Lock people out, and restore their roles."""
    locked = [client.users.update(user.id, status=UserStatus.INACTIVE) for user in users]
    return [client.users.update(user.id, role=user.role, status=user.status) for user in locked]


def explain(error: RedcoreError) -> str:
    """Return a message for a person."""
    match error:
        case ValidationError():
            return "; ".join(f"{detail.field}: {detail.issue}" for detail in error.details)
        case RateLimitError():
            return f"try again in {error.retry_after or 1:.0f} s"
        case ConflictError() | AuthenticationError():
            return error.code
        case ServerError() | RequestTimeoutError() | NetworkError():
            return f"try again later ({error.request_id}, {len(error.attempts)} attempts)"
        case RedcoreAPIError():
            return f"{error.status_code}: {error.message}"
        case _:
            return str(error)


# Plain data and back -------------------------------------------------------------------------


def save(model: Model, path: Path) -> None:
    """Store any model as JSON."""
    path.write_text(model.to_json())


def load(kind: type[M], path: Path) -> M:
    """Load the model of a file."""
    return kind.from_dict(json.loads(path.read_text()))


def load_page(path: Path) -> tuple[Page[User], tuple[ErrorDetail, ...]]:
    """Load a page of a file, or return its problems."""
    try:
        return Page[User].from_dict(json.loads(path.read_text())), ()
    except ArgumentError as error:
        return Page[User].from_dict({"data": [], "meta": {}}), error.details


@attrs.define
class Ticket:
    """A class of the application with a model in it."""

    title: str
    owner: User
    watchers: list[User]
    due: dt.datetime | None = None


def tickets(raw: list[dict[str, Any]]) -> list[Ticket]:
    """Make tickets from plain data, by a converter that knows the models."""
    converter = redcore.converter()
    made = converter.structure(raw, list[Ticket])
    first: dict[str, Any] = converter.unstructure(made[0])
    return [*made, converter.structure(first, Ticket)]


def neighbours(page: Page[User]) -> tuple[User, User, tuple[User, ...], int]:
    """A page is a sequence."""
    return page[0], page[-1], page[1:3], len(page)


# Tests ---------------------------------------------------------------------------------------


def make_user(name: str = "Ada", role: UserRole = UserRole.EDITOR) -> User:
    """Make a user for tests."""
    now = dt.datetime.now(dt.UTC)
    return User(
        id=f"usr_{name}",
        email=f"{name}@example.com",
        name=name,
        role=role,
        status=UserStatus.ACTIVE,
        invitation_sent_at=None,
        created_at=now,
        updated_at=now,
    )


def test_invite_returns_the_existing_user() -> None:
    """A mock of the client refuses unknown methods and arguments."""
    client: MagicMock = create_autospec(Client, instance=True)
    client.users.create.return_value = make_user()

    assert invite(client, "ada@example.com").name == "Ada"
    client.users.create.assert_called_once_with(email="ada@example.com", name="ada", role=UserRole.VIEWER)


# The other colour ----------------------------------------------------------------------------


async def finished(client: AsyncClient, run: WorkflowRun) -> bool:
    """Return whether a run succeeded."""
    done = await client.workflows.wait(run, timeout=60)
    return done.status is WorkflowRunStatus.SUCCEEDED


async def names(client: AsyncClient) -> AsyncIterator[str]:
    """Return the names of all users."""
    async for user in client.users.list_all(status="active", page_size=50).iter_items():
        yield user.name


async def both() -> list[str]:
    """Request two things concurrently."""
    async with AsyncClient(client_id="app_1", client_secret="secret", retry=PATIENT) as client:
        me, page = await asyncio.gather(client.users.get_me(), client.users.list(limit=5, max_retries=0))
        key = await client.api_keys.create(name="ci", scopes=[Scope.USERS_READ, "files:read"], mode="test")
        return [me.email, page[0].email, key.hint, *[name async for name in names(client)]]


def shop(api_key: str) -> str | None:
    """All of it together."""
    with ShopClient("engines", api_key=api_key) as client:
        hasty = client.in_a_hurry()
        found = or_none(hasty.users.get, "usr_98765")
        return hasty.shop if found is None else found.email


if __name__ == "__main__":
    asyncio.run(both())
