"""Obtains access tokens from credentials: which grant, when to refresh, how to handle dead tokens. Performs no I/O.

Every method yields steps (`_call/steps.py`); the token endpoint is called through its generated operation.

States of the token pair of a client, and the legal transitions:

    none    → fresh     the client's own credentials (RFC 6749 section 4.4), or the login of a person
    fresh   → ageing    a tenth of its lifetime is left: one call refreshes it, all others keep using it
    fresh, ageing → ended    it expired, it was issued in the future, or the server rejected it with 401
    ageing, ended → fresh    another client stored a newer pair, or a refresh succeeded (RFC 6749 section 6)
    ended   → fresh     the refresh token is dead: the client's own credentials are used, if it has any
    ended   → dead      the refresh token is dead and there are no other credentials: all calls raise that error, and
                        none asks again, in any process that shares the cache
    any     → none      the session was revoked (RFC 7009)
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import quote_plus

import attrs

from redcore._base.log import logger
from redcore._base.operation import Operation
from redcore._base.response import Response
from redcore._base.runtime import Runtime
from redcore._call.arguments import OnTokenRefreshed
from redcore._call.credentials import Credentials
from redcore._call.ended_session import ended, must_log_in
from redcore._call.secrets import without_secrets
from redcore._call.steps import Acquire, Budget, Flow, Notify, Renewal, Send, Sleep
from redcore._call.token_store import AGAIN_S, TokenStore, is_ahead
from redcore._spec import operations
from redcore._spec.models import TokenResponse
from redcore._wire.decoding import oauth_failure, read
from redcore._wire.encoding import Request, call_headers, encode
from redcore.exceptions import (
    AuthenticationError,
    ConfigurationError,
    NetworkError,
    RedcoreAPIError,
    RedcoreError,
    RequestTimeoutError,
    ResponseError,
    TokenCacheError,
)
from redcore.tokens.cache import AnyTokenCache
from redcore.tokens.token_set import TokenSet, flaw, granted

LEASE_MARGIN_S = 5.0  # for the work around the attempts: two cache accesses of up to 2 s each (RedisCache)
SHORTEST_POLL_S = 0.02  # a refresh takes one or two round trips
LONGEST_POLL_S = 0.25  # four cache reads per second


class Authenticator:
    """Provides access tokens for a client; shared by all threads and tasks that use the client."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        origin: str,
        cache: AnyTokenCache,
        on_token_refreshed: OnTokenRefreshed | None,
        runtime: Runtime,
    ) -> None:
        self._credentials = credentials
        self._can_ask_anew = credentials.can_ask_anew
        self._origin = origin
        self._cache = cache
        self._on_token_refreshed = on_token_refreshed
        self._now = runtime.now
        self._monotonic = runtime.monotonic
        self._draw = runtime.draw
        self._own_draw = runtime.draw()
        self._not_ahead_before = -math.inf  # on the monotonic clock
        self._open_store()
        if credentials.access_token or credentials.refresh_token:
            self._start_session(credentials)

    def _open_store(self) -> None:
        """The cache entry of these credentials."""
        self._key = self._credentials.key(self._origin)
        self._store = TokenStore(self._cache, self._key, self._now, self._monotonic)

    def _start_session(self, credentials: Credentials) -> None:
        """Start with the given pair, unless another client that started with it has refreshed it since."""
        with_access = credentials.access_token or ""
        self._store.begin(
            TokenSet(
                access_token=with_access,
                refresh_token=credentials.refresh_token,
                expires_at=None if with_access else 0.0,
                scope=credentials.scope,
            )
        )

    def begin(self, tokens: TokenSet) -> Flow[None]:
        """Begin the session of a person who has just logged in, and pass its tokens to the application's callback."""
        self.resume(tokens)
        if self._on_token_refreshed is not None:
            yield Notify(self._on_token_refreshed, tokens.as_dict())

    def resume(self, tokens: TokenSet) -> None:
        """Continue with the pair of an earlier login, or with the pair that another client has refreshed it to.

        Raises:
            ConfigurationError: they are something else, such as stored ones as a dict; or a token or time is invalid.
        """
        if not isinstance(cast("object", tokens), TokenSet):
            raise ConfigurationError("tokens must be a TokenSet; restore stored ones: TokenSet(**stored)")
        if (problem := flaw(tokens)) is not None:
            raise ConfigurationError(f"the tokens have {problem}; give what redcore.login gave, as it was stored")
        self._credentials = attrs.evolve(
            self._credentials, access_token=tokens.access_token, refresh_token=tokens.refresh_token
        )
        self._open_store()
        self._store.begin(tokens)

    def end(self, revoke: Callable[[str], Flow[None]], budget: Budget) -> Flow[None]:
        """Revoke the tokens, then delete them; does nothing if there are none.

        Waits for a refresh in progress, whose new pair would otherwise survive.

        Raises:
            ConfigurationError: an API key has no session.
        """
        if self._credentials.api_key:
            raise ConfigurationError(
                "an API key has no session to end; client.api_keys.revoke(key_id) ends the key itself",
                request_id=budget.request_id,
            )
        claim = object()
        try:
            yield from self._acquire(budget, claim)
            yield from self._turn(budget, lambda _: False)
            try:
                held = yield from self._store.fetch()
                if held is not None:
                    yield from revoke(held.refresh_token or held.access_token)
                    yield from self._store.forget()
            finally:
                yield from self._store.unlock()
        finally:
            self._store.lock.release(claim)

    def can_replace(self, rejected: str) -> bool:
        """Whether a rejected access token can be replaced: by a refresh, or by a token another client has obtained."""
        if self._credentials.api_key:
            return False
        if self._can_ask_anew:
            return True
        held = self._store.known()
        return held is not None and (held.refresh_token is not None or held.access_token != rejected)

    def bearer(self, budget: Budget, *, rejected: str | None) -> Flow[str]:
        """Return the token to send as `Authorization: Bearer`.

        Args:
            budget: How long the call may still take.
            rejected: The access token that the server has just rejected with 401, or None.

        Raises:
            AuthenticationError: no token can be obtained: log in again.
            RedcoreAPIError, NetworkError, ResponseError: the token endpoint failed.
        """
        if self._credentials.api_key:
            return self._credentials.api_key
        if self._store.is_unread:  # another process may have a newer pair than the one given here
            yield from self._store.fetch()
        if tokens := self._usable(rejected):
            if tokens.is_ageing(self._now(), self._own_draw):
                tokens = yield from self._renewed_ahead(tokens, budget)
            return tokens.access_token
        outcomes, claim = self._store.outcomes, object()
        try:
            yield from self._acquire(budget, claim)
            tokens, is_new = yield from self._renewed(budget, lambda held: self._is_usable(held, rejected), outcomes)
        finally:
            self._store.lock.release(claim)
        yield from self._tell(tokens, is_new=is_new)
        return tokens.access_token

    def _renewed_ahead(self, tokens: TokenSet, budget: Budget) -> Flow[TokenSet]:
        """Refresh early, in at most one task; others keep using the current token.

        A failure must not affect the call: it then continues with the current token too.
        """
        remaining = budget.remaining_s()
        is_too_soon = is_ahead(self._not_ahead_before, self._monotonic())
        if is_too_soon or (remaining is not None and remaining < 2 * budget.timeout_s):
            return tokens
        claim = object()
        try:
            taken = yield Acquire(self._store.lock, 0.0, claim)
            if not taken:
                return tokens
            self._not_ahead_before = self._monotonic() + AGAIN_S
            renewed, is_new = yield from self._renewed(
                budget,
                lambda held: not held.is_ageing(self._now(), self._own_draw),
                self._store.outcomes,
                waits=False,
            )
        except RedcoreError as error:
            logger.warning("the access token could not be renewed ahead of its end: %s", error)
            return tokens
        finally:
            self._store.lock.release(claim)
        yield from self._tell(renewed, is_new=is_new)
        return renewed

    def _renewed(
        self, budget: Budget, is_good: Callable[[TokenSet], bool], outcomes: tuple[int, int], *, waits: bool = True
    ) -> Flow[tuple[TokenSet, bool]]:
        """Return valid tokens, and whether they are new. One refresh at a time, here and in all sharing processes.

        Args:
            budget: How long the call may still take.
            is_good: Whether tokens can be used.
            outcomes: Those of the store when this call began to wait: the result of a later refresh is its own.
            waits: Whether to wait for another process that is refreshing.
        """
        held = self._store.known()
        if held is not None and (is_good(held) or self._store.renewed_since(outcomes)):
            return held, False
        if (shared := self._store.failed_since(outcomes, budget.timeout_s)) is not None:
            raise shared
        try:
            is_ours = yield from self._turn(budget, is_good, waits=waits)
            try:
                fetched = yield from self._store.fetch()
                if fetched is not None and (is_good(fetched) or not is_ours):
                    return fetched, False
                renewed = yield from self._renew(fetched, budget)
                self._store.succeed()
                return renewed, True
            finally:
                if is_ours:
                    yield from self._store.unlock()
        except (RedcoreAPIError, NetworkError, ResponseError) as error:
            if budget.allows(0.0):  # not if only this call ran out of time: others may have more
                self._store.fail(error, budget.timeout_s)
            raise

    def _turn(self, budget: Budget, is_good: Callable[[TokenSet], bool], *, waits: bool = True) -> Flow[bool]:
        """Wait for the lock between processes, or for valid tokens of another process; True if we hold the lock.

        Raises:
            RequestTimeoutError: neither happened in time.
        """
        lease_s = longest_renewal_s(budget)
        waited_s = 0.0
        while True:
            taken = yield from self._store.try_lock(lease_s)
            if taken or not waits:
                return taken
            held = yield from self._store.fetch()
            if held is not None and is_good(held):
                return False
            wait = min(LONGEST_POLL_S, SHORTEST_POLL_S + waited_s / 2) * (0.5 + self._draw())
            waited_s += wait
            if waited_s > 2 * lease_s or not budget.allows(wait):
                raise RequestTimeoutError(f"another process has been renewing the token for {waited_s:.1f} s")
            yield Sleep(wait)

    def _tell(self, tokens: TokenSet, *, is_new: bool) -> Flow[None]:
        if is_new and self._on_token_refreshed is not None:
            yield Notify(self._on_token_refreshed, tokens.as_dict())

    def _acquire(self, budget: Budget, claim: object) -> Flow[None]:
        longest_s, remaining_s = longest_renewal_s(budget), budget.remaining_s()
        wait_s = longest_s if remaining_s is None else min(longest_s, remaining_s)
        taken = yield Acquire(self._store.lock, wait_s, claim)
        if taken:
            return
        if not budget.allows(0.0):
            raise RequestTimeoutError("the call's deadline passed during a token refresh", request_id=budget.request_id)
        raise RequestTimeoutError(f"another call in this process has been renewing the token for {longest_s:.1f} s")

    def _usable(self, rejected: str | None) -> TokenSet | None:
        tokens = self._store.known()
        return tokens if tokens is not None and self._is_usable(tokens, rejected) else None

    def _is_usable(self, tokens: TokenSet, rejected: str | None) -> bool:
        return tokens.is_fresh(self._now()) and tokens.access_token != rejected

    def _renew(self, held: TokenSet | None, budget: Budget) -> Flow[TokenSet]:
        """Obtain new tokens by the refresh token or the client's credentials; stores them before they are used."""
        if held is not None and held.refresh_token is not None:
            try:
                return (yield from self._refresh(held.refresh_token, budget))
            except AuthenticationError as error:
                if error.code != "invalid_grant":
                    raise
                newer = yield from self._store.fetch()
                # Another client was faster, one that does not share the lock or outlived it.
                if newer is not None and self._is_usable(newer, held.access_token):
                    return newer
                if newer is not None and newer.refresh_token not in (None, held.refresh_token):
                    return (yield from self._refresh(newer.refresh_token, budget))
                if not self._can_ask_anew:
                    yield from self._store.give_up_refreshing(held)
                    raise must_log_in(error) from error
        if not self._can_ask_anew:
            raise ended(held, self._store.refusal(None), self._credentials.refresh_token, budget.request_id)
        asked = operations.auth_token(grant_type="client_credentials", **self._scope())
        return (yield from self._exchange(asked, budget, refresh_token=None))

    def _refresh(self, refresh_token: str, budget: Budget) -> Flow[TokenSet]:
        """Refresh (RFC 6749 section 6). Retried if the response is lost: the pair is spent anyway (contract section 7).

        A refresh token that was rejected once is dead: the same error is raised again, without another request.
        """
        if (refusal := self._store.refusal(refresh_token)) is not None:
            raise refusal
        asked = operations.auth_token(grant_type="refresh_token", refresh_token=refresh_token)
        try:
            try:
                return (yield from self._exchange(asked, budget, refresh_token))
            except NetworkError:
                return (yield from self._exchange(asked, budget, refresh_token))
        except AuthenticationError as error:
            if error.code == "invalid_grant":
                self._store.refuse(refresh_token, error)
            raise

    def _scope(self) -> dict[str, str]:
        return {"scope": self._credentials.scope} if self._credentials.scope else {}

    def _exchange(
        self, operation: Operation[TokenResponse], budget: Budget, refresh_token: str | None
    ) -> Flow[TokenSet]:
        """Send one `POST /oauth/token`; the tokens are in the cache when this returns.

        The refresh token is kept if the response has none.
        """
        request = self.sign(operation, call_headers(operation, budget.request_id), budget.request_id)
        response: Response = yield self._sending(request, budget, refresh_token)
        if response.status_code != 200:
            shown = without_secrets(response, self.secrets(), operation.body)
            raise oauth_failure(shown, now=self._now(), request_id=budget.request_id)
        tokens = granted(read(operation, response), response, self._now(), refresh_token)
        try:
            yield from self._store.keep(tokens)
        except TokenCacheError:  # the application may store the pair itself, and the old pair is dead
            yield from self._tell(tokens, is_new=True)
            raise
        return tokens

    def _sending(self, request: Request, budget: Budget, refresh_token: str | None) -> Send:
        """Make the step that sends one `POST /oauth/token`.

        Nothing gives up a pair that is on its way, unless the client can ask for another.

        Raises:
            RequestTimeoutError: the deadline has passed.
        """
        attempt_s = budget.attempt_s()
        if refresh_token is None or self._can_ask_anew:
            return Send(request, attempt_s, must_finish=True)
        wait_s = attempt_s if attempt_s < budget.timeout_s else None
        return Renewal(request, budget.timeout_s, must_finish=True, wait_s=wait_s, lock=self._store.lock)

    def secrets(self) -> set[str | None]:
        """The secrets of this client, which must not appear in errors."""
        held, given = self._store.known(), self._credentials
        known = {given.api_key, given.client_secret, given.access_token, given.refresh_token}
        return known if held is None else known | {held.access_token, held.refresh_token}

    def sign(self, operation: Operation[Any], headers: dict[str, str], request_id: str) -> Request:
        """Make a request to an OAuth endpoint, with client authentication (RFC 6749 section 2.3.1).

        Raises:
            ConfigurationError: the operation needs a client id or a secret that this client lacks.
        """
        client_id, secret = self._credentials.client_id, self._credentials.client_secret
        if operation.auth == "client":
            if client_id is None and operation.name != "auth_token":
                raise ConfigurationError(
                    f"{operation.name} needs client_id (and client_secret), which this client does not have",
                    request_id=request_id,
                )
            if secret is None and operation.name == "auth_introspect":  # RFC 7662 section 2.1
                raise ConfigurationError(f"{operation.name} needs client_secret", request_id=request_id)
            if secret is not None and client_id is not None:
                pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
                headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
            elif client_id is not None:
                operation = attrs.evolve(operation, body={**(operation.body or {}), "client_id": client_id})
        return encode(operation, self._origin, headers)


def longest_renewal_s(budget: Budget) -> float:
    """How long a refresh may take: two attempts, so that no refresh begins while another may still succeed."""
    return 2 * budget.timeout_s + LEASE_MARGIN_S
