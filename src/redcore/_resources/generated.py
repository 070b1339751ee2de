"""Resources: the operations grouped by tag and bound to a client, in both colours.

Generated from openapi/redcore.yaml; do not edit.
"""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeVar, Unpack, overload

from redcore._base.operation import Operation
from redcore._base.values import UNSET, FileContent, Unset
from redcore._resources.calls import AsyncCall, Call, always_with, async_always_with
from redcore._resources.resource import Described, resource
from redcore._spec import operations
from redcore._spec.models import (
    ApiKey,
    ApiKeyCreated,
    ApiKeyMode,
    Application,
    ApplicationCredentials,
    ApplicationType,
    CursorPage,
    File,
    Introspection,
    Jwks,
    Page,
    Product,
    ProductStatus,
    Scope,
    ServerMetadata,
    User,
    UserRole,
    UserStatus,
    Workflow,
    WorkflowRun,
    WorkflowRunStatus,
)
from redcore.options import RequestOptions
from redcore.pagination import AsyncPages, Pages

T = TypeVar("T")


class Users(Described):
    """`client.users`. People of an organisation, and the one who is calling.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        AuthenticationError: 401, `INVALID_TOKEN`: missing, malformed, unknown or revoked;
            `TOKEN_EXPIRED`: past its time.
        PermissionError: 403, `INSUFFICIENT_SCOPE`: the token lacks the scope.
        RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
        ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
        ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
            back-off.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: Call) -> None:
        self._execute = execute

    def get_me(self, **options: Unpack[RequestOptions]) -> User:
        """Fetch the calling user.

        The user who signed in, or the owner of the API key or application that calls. The headers of
        the answer, also of a 403, say what the credential may do and when it ends.

        Scope: `profile:read`.

        Args:
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The user.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.

        Example:
            client.users.get_me()
        """
        return self._execute(operations.users_get_me(), options)

    def update_me(self, *, name: str | Unset = UNSET, **options: Unpack[RequestOptions]) -> User:
        """Change the calling user.

        Changes only the fields that are given.

        Scope: `profile:write`.

        Args:
            name: New full name, visible, in one line, without white space at its ends.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The user.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.users.update_me(name="Ada King")
        """
        return self._execute(operations.users_update_me(name=name), options)

    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        role: UserRole | Literal["admin", "editor", "viewer"] | None = None,
        status: UserStatus | Literal["active", "inactive", "pending_invite"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[User]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        role: UserRole | Literal["admin", "editor", "viewer"] | None = None,
        status: UserStatus | Literal["active", "inactive", "pending_invite"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[User]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        role: UserRole | Literal["admin", "editor", "viewer"] | None = None,
        status: UserStatus | Literal["active", "inactive", "pending_invite"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[User]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        role: UserRole | Literal["admin", "editor", "viewer"] | None = None,
        status: UserStatus | Literal["active", "inactive", "pending_invite"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[User] | CursorPage[User]:
        """List users.

        One page of the organisation's users, newest first.

        Scope: `users:read`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            role: Keep only users with this role.
            status: Keep only users with this status.
            q: Keep only users whose name or e-mail contains this text, in any case and any Unicode form.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of users.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            client.users.list(limit=50)
        """
        return self._execute(
            operations.users_list(
                limit=limit, offset=offset, cursor=cursor, include_total=include_total, role=role, status=status, q=q
            ),
            options,
        )

    def create(
        self,
        *,
        email: str,
        name: str,
        role: UserRole | Literal["admin", "editor", "viewer"] | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> User:
        """Create a user.

        Creates the user as `pending_invite` and mails an invitation: a signed, single-use link that
        lives 48 hours. The e-mail is unique in the organisation, compared without regard to case. The
        role `admin` can only be given with the scope `admin`. An address is invited at most 5 times an
        hour and 10 times a day.

        Scope: `users:write`.

        Args:
            email: Where the invitation goes, in any script; unique in the organisation, in any case and any
                Unicode form.
            name: Full name, visible, in one line, without white space at its ends.
            role: What the user may do; `viewer` if left out.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The new user.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.users.create(email="ada@example.com", name="Ada Lovelace", role="editor")
        """
        return self._execute(operations.users_create(email=email, name=name, role=role), options)

    def get(self, user_id: str, **options: Unpack[RequestOptions]) -> User:
        """Fetch a user.

        The user with this id, if it belongs to the caller's organisation.

        Scope: `users:read`.

        Args:
            user_id: Id of the user, `usr_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The user.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.

        Example:
            client.users.get("usr_98765")
        """
        return self._execute(operations.users_get(user_id), options)

    def delete(self, user_id: str, **options: Unpack[RequestOptions]) -> None:
        """Delete a user.

        Deletes the user and revokes all of the user's tokens at once.

        Scope: `users:write`.

        Args:
            user_id: Id of the user, `usr_…`.
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.users.delete("usr_98765")
        """
        return self._execute(operations.users_delete(user_id), options)

    def update(
        self,
        user_id: str,
        *,
        email: str | Unset = UNSET,
        name: str | Unset = UNSET,
        role: UserRole | Literal["admin", "editor", "viewer"] | Unset = UNSET,
        status: UserStatus | Literal["active", "inactive"] | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> User:
        """Change a user.

        Changes only the fields that are given. Setting `status` to `inactive` revokes all of the user's
        tokens at once, and ends the user's workflow runs; `active` is possible only for a user who has
        accepted an invitation. A lower role ends the user's tokens. To give the role `admin`, or to
        change role, status or e-mail of an administrator, needs the scope `admin`.

        Scope: `users:write`.

        Args:
            user_id: Id of the user, `usr_…`.
            email: New e-mail, in any script; unique in the organisation, in any case and any Unicode form.
            name: New full name, visible, in one line, without white space at its ends.
            role: New role.
            status: `inactive` locks the user out at once; `active` lets an accepted user in again.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The user.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.users.update("usr_98765", role="admin")
        """
        return self._execute(
            operations.users_update(user_id, email=email, name=name, role=role, status=status), options
        )

    def resend_invitation(self, user_id: str, **options: Unpack[RequestOptions]) -> User:
        """Send a user's invitation again.

        Mails a new link and voids the old one. An active user cannot be invited again, an administrator
        only with the scope `admin`, and an address at most 5 times an hour and 10 times a day.

        Scope: `users:write`.

        Args:
            user_id: Id of the user, `usr_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The user whose invitation is on its way.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.users.resend_invitation("usr_98765")
        """
        return self._execute(operations.users_resend_invitation(user_id), options)

    def list_all(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        role: UserRole | Literal["admin", "editor", "viewer"] | None = None,
        status: UserStatus | Literal["active", "inactive", "pending_invite"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Pages[User]:
        """List users: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `users:read`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            role: Keep only users with this role.
            status: Keep only users with this status.
            q: Keep only users whose name or e-mail contains this text, in any case and any Unicode form.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list` raises is raised while iterating.

        Example:
            for item in client.users.list_all().iter_items(): ...
        """
        return Pages(
            always_with(options, self._execute),
            partial(operations.users_list, limit=page_size, role=role, status=status, q=q),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )


class AsyncUsers(Described):
    """`client.users`. People of an organisation, and the one who is calling.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        AuthenticationError: 401, `INVALID_TOKEN`: missing, malformed, unknown or revoked;
            `TOKEN_EXPIRED`: past its time.
        PermissionError: 403, `INSUFFICIENT_SCOPE`: the token lacks the scope.
        RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
        ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
        ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
            back-off.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: AsyncCall) -> None:
        self._execute = execute

    async def get_me(self, **options: Unpack[RequestOptions]) -> User:
        """Fetch the calling user.

        The user who signed in, or the owner of the API key or application that calls. The headers of
        the answer, also of a 403, say what the credential may do and when it ends.

        Scope: `profile:read`.

        Args:
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The user.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.

        Example:
            await client.users.get_me()
        """
        return await self._execute(operations.users_get_me(), options)

    async def update_me(self, *, name: str | Unset = UNSET, **options: Unpack[RequestOptions]) -> User:
        """Change the calling user.

        Changes only the fields that are given.

        Scope: `profile:write`.

        Args:
            name: New full name, visible, in one line, without white space at its ends.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The user.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.users.update_me(name="Ada King")
        """
        return await self._execute(operations.users_update_me(name=name), options)

    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        role: UserRole | Literal["admin", "editor", "viewer"] | None = None,
        status: UserStatus | Literal["active", "inactive", "pending_invite"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[User]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        role: UserRole | Literal["admin", "editor", "viewer"] | None = None,
        status: UserStatus | Literal["active", "inactive", "pending_invite"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[User]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        role: UserRole | Literal["admin", "editor", "viewer"] | None = None,
        status: UserStatus | Literal["active", "inactive", "pending_invite"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[User]: ...
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        role: UserRole | Literal["admin", "editor", "viewer"] | None = None,
        status: UserStatus | Literal["active", "inactive", "pending_invite"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[User] | CursorPage[User]:
        """List users.

        One page of the organisation's users, newest first.

        Scope: `users:read`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            role: Keep only users with this role.
            status: Keep only users with this status.
            q: Keep only users whose name or e-mail contains this text, in any case and any Unicode form.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of users.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            await client.users.list(limit=50)
        """
        return await self._execute(
            operations.users_list(
                limit=limit, offset=offset, cursor=cursor, include_total=include_total, role=role, status=status, q=q
            ),
            options,
        )

    async def create(
        self,
        *,
        email: str,
        name: str,
        role: UserRole | Literal["admin", "editor", "viewer"] | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> User:
        """Create a user.

        Creates the user as `pending_invite` and mails an invitation: a signed, single-use link that
        lives 48 hours. The e-mail is unique in the organisation, compared without regard to case. The
        role `admin` can only be given with the scope `admin`. An address is invited at most 5 times an
        hour and 10 times a day.

        Scope: `users:write`.

        Args:
            email: Where the invitation goes, in any script; unique in the organisation, in any case and any
                Unicode form.
            name: Full name, visible, in one line, without white space at its ends.
            role: What the user may do; `viewer` if left out.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The new user.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.users.create(email="ada@example.com", name="Ada Lovelace", role="editor")
        """
        return await self._execute(operations.users_create(email=email, name=name, role=role), options)

    async def get(self, user_id: str, **options: Unpack[RequestOptions]) -> User:
        """Fetch a user.

        The user with this id, if it belongs to the caller's organisation.

        Scope: `users:read`.

        Args:
            user_id: Id of the user, `usr_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The user.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.

        Example:
            await client.users.get("usr_98765")
        """
        return await self._execute(operations.users_get(user_id), options)

    async def delete(self, user_id: str, **options: Unpack[RequestOptions]) -> None:
        """Delete a user.

        Deletes the user and revokes all of the user's tokens at once.

        Scope: `users:write`.

        Args:
            user_id: Id of the user, `usr_…`.
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.users.delete("usr_98765")
        """
        return await self._execute(operations.users_delete(user_id), options)

    async def update(
        self,
        user_id: str,
        *,
        email: str | Unset = UNSET,
        name: str | Unset = UNSET,
        role: UserRole | Literal["admin", "editor", "viewer"] | Unset = UNSET,
        status: UserStatus | Literal["active", "inactive"] | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> User:
        """Change a user.

        Changes only the fields that are given. Setting `status` to `inactive` revokes all of the user's
        tokens at once, and ends the user's workflow runs; `active` is possible only for a user who has
        accepted an invitation. A lower role ends the user's tokens. To give the role `admin`, or to
        change role, status or e-mail of an administrator, needs the scope `admin`.

        Scope: `users:write`.

        Args:
            user_id: Id of the user, `usr_…`.
            email: New e-mail, in any script; unique in the organisation, in any case and any Unicode form.
            name: New full name, visible, in one line, without white space at its ends.
            role: New role.
            status: `inactive` locks the user out at once; `active` lets an accepted user in again.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The user.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.users.update("usr_98765", role="admin")
        """
        return await self._execute(
            operations.users_update(user_id, email=email, name=name, role=role, status=status), options
        )

    async def resend_invitation(self, user_id: str, **options: Unpack[RequestOptions]) -> User:
        """Send a user's invitation again.

        Mails a new link and voids the old one. An active user cannot be invited again, an administrator
        only with the scope `admin`, and an address at most 5 times an hour and 10 times a day.

        Scope: `users:write`.

        Args:
            user_id: Id of the user, `usr_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The user whose invitation is on its way.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.users.resend_invitation("usr_98765")
        """
        return await self._execute(operations.users_resend_invitation(user_id), options)

    def list_all(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        role: UserRole | Literal["admin", "editor", "viewer"] | None = None,
        status: UserStatus | Literal["active", "inactive", "pending_invite"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> AsyncPages[User]:
        """List users: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `users:read`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            role: Keep only users with this role.
            status: Keep only users with this status.
            q: Keep only users whose name or e-mail contains this text, in any case and any Unicode form.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list` raises is raised while iterating.

        Example:
            async for item in client.users.list_all().iter_items(): ...
        """
        return AsyncPages(
            async_always_with(options, self._execute),
            partial(operations.users_list, limit=page_size, role=role, status=status, q=q),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )


class Products(Described):
    """`client.products`. The catalog.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        AuthenticationError: 401, `INVALID_TOKEN`: missing, malformed, unknown or revoked;
            `TOKEN_EXPIRED`: past its time.
        PermissionError: 403, `INSUFFICIENT_SCOPE`: the token lacks the scope.
        RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
        ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
        ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
            back-off.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: Call) -> None:
        self._execute = execute

    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[Product]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[Product]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[Product]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[Product] | CursorPage[Product]:
        """List products.

        One page of the catalog, newest first.

        Scope: `products:read`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            status: Keep only products with this status.
            q: Keep only products whose name or sku contains this text, in any case and any Unicode form.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of products.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            client.products.list(limit=50)
        """
        return self._execute(
            operations.products_list(
                limit=limit, offset=offset, cursor=cursor, include_total=include_total, status=status, q=q
            ),
            options,
        )

    def create(
        self,
        *,
        name: str,
        sku: str,
        price: int,
        stock: int | Unset = UNSET,
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> Product:
        """Create a product.

        The sku is unique in the catalog. A product without stock is `out_of_stock` unless it is
        `discontinued`.

        Scope: `products:write`.

        Args:
            name: Name for people, visible, in one line, without white space at its ends.
            sku: Stock keeping unit, unique in the catalog in any Unicode form; no white space at its ends.
            price: Price in minor units (cents).
            stock: Pieces in stock; 0 if left out.
            status: `available` if left out; without stock it becomes `out_of_stock` unless `discontinued`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The new product.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.products.create(name="Analytical Engine", sku="ENG-1", price=129900, stock=12)
        """
        return self._execute(
            operations.products_create(name=name, sku=sku, price=price, stock=stock, status=status), options
        )

    def get(self, product_id: str, **options: Unpack[RequestOptions]) -> Product:
        """Fetch a product.

        The product with this id, if it belongs to the caller's organisation.

        Scope: `products:read`.

        Args:
            product_id: Id of the product, `prod_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The product.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.

        Example:
            client.products.get("prod_12345")
        """
        return self._execute(operations.products_get(product_id), options)

    def delete(self, product_id: str, **options: Unpack[RequestOptions]) -> None:
        """Delete a product.

        Takes the product out of the catalog for good.

        Scope: `products:write`.

        Args:
            product_id: Id of the product, `prod_…`.
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.products.delete("prod_12345")
        """
        return self._execute(operations.products_delete(product_id), options)

    def update(
        self,
        product_id: str,
        *,
        name: str | Unset = UNSET,
        sku: str | Unset = UNSET,
        price: int | Unset = UNSET,
        stock: int | Unset = UNSET,
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> Product:
        """Change a product.

        Changes only the fields that are given; the stock rule of creation holds here too.

        Scope: `products:write`.

        Args:
            product_id: Id of the product, `prod_…`.
            name: New name, visible, in one line, without white space at its ends.
            sku: New stock keeping unit, unique in the catalog in any Unicode form; no white space at its
                ends.
            price: New price in minor units (cents).
            stock: New number of pieces in stock.
            status: New status.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The product.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.products.update("prod_12345", stock=0)
        """
        return self._execute(
            operations.products_update(product_id, name=name, sku=sku, price=price, stock=stock, status=status), options
        )

    def list_all(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Pages[Product]:
        """List products: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `products:read`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            status: Keep only products with this status.
            q: Keep only products whose name or sku contains this text, in any case and any Unicode form.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list` raises is raised while iterating.

        Example:
            for item in client.products.list_all().iter_items(): ...
        """
        return Pages(
            always_with(options, self._execute),
            partial(operations.products_list, limit=page_size, status=status, q=q),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )


class AsyncProducts(Described):
    """`client.products`. The catalog.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        AuthenticationError: 401, `INVALID_TOKEN`: missing, malformed, unknown or revoked;
            `TOKEN_EXPIRED`: past its time.
        PermissionError: 403, `INSUFFICIENT_SCOPE`: the token lacks the scope.
        RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
        ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
        ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
            back-off.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: AsyncCall) -> None:
        self._execute = execute

    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[Product]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[Product]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[Product]: ...
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[Product] | CursorPage[Product]:
        """List products.

        One page of the catalog, newest first.

        Scope: `products:read`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            status: Keep only products with this status.
            q: Keep only products whose name or sku contains this text, in any case and any Unicode form.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of products.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            await client.products.list(limit=50)
        """
        return await self._execute(
            operations.products_list(
                limit=limit, offset=offset, cursor=cursor, include_total=include_total, status=status, q=q
            ),
            options,
        )

    async def create(
        self,
        *,
        name: str,
        sku: str,
        price: int,
        stock: int | Unset = UNSET,
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> Product:
        """Create a product.

        The sku is unique in the catalog. A product without stock is `out_of_stock` unless it is
        `discontinued`.

        Scope: `products:write`.

        Args:
            name: Name for people, visible, in one line, without white space at its ends.
            sku: Stock keeping unit, unique in the catalog in any Unicode form; no white space at its ends.
            price: Price in minor units (cents).
            stock: Pieces in stock; 0 if left out.
            status: `available` if left out; without stock it becomes `out_of_stock` unless `discontinued`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The new product.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.products.create(name="Analytical Engine", sku="ENG-1", price=129900, stock=12)
        """
        return await self._execute(
            operations.products_create(name=name, sku=sku, price=price, stock=stock, status=status), options
        )

    async def get(self, product_id: str, **options: Unpack[RequestOptions]) -> Product:
        """Fetch a product.

        The product with this id, if it belongs to the caller's organisation.

        Scope: `products:read`.

        Args:
            product_id: Id of the product, `prod_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The product.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.

        Example:
            await client.products.get("prod_12345")
        """
        return await self._execute(operations.products_get(product_id), options)

    async def delete(self, product_id: str, **options: Unpack[RequestOptions]) -> None:
        """Delete a product.

        Takes the product out of the catalog for good.

        Scope: `products:write`.

        Args:
            product_id: Id of the product, `prod_…`.
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.products.delete("prod_12345")
        """
        return await self._execute(operations.products_delete(product_id), options)

    async def update(
        self,
        product_id: str,
        *,
        name: str | Unset = UNSET,
        sku: str | Unset = UNSET,
        price: int | Unset = UNSET,
        stock: int | Unset = UNSET,
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> Product:
        """Change a product.

        Changes only the fields that are given; the stock rule of creation holds here too.

        Scope: `products:write`.

        Args:
            product_id: Id of the product, `prod_…`.
            name: New name, visible, in one line, without white space at its ends.
            sku: New stock keeping unit, unique in the catalog in any Unicode form; no white space at its
                ends.
            price: New price in minor units (cents).
            stock: New number of pieces in stock.
            status: New status.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The product.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.products.update("prod_12345", stock=0)
        """
        return await self._execute(
            operations.products_update(product_id, name=name, sku=sku, price=price, stock=stock, status=status), options
        )

    def list_all(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | None = None,
        q: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> AsyncPages[Product]:
        """List products: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `products:read`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            status: Keep only products with this status.
            q: Keep only products whose name or sku contains this text, in any case and any Unicode form.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list` raises is raised while iterating.

        Example:
            async for item in client.products.list_all().iter_items(): ...
        """
        return AsyncPages(
            async_always_with(options, self._execute),
            partial(operations.products_list, limit=page_size, status=status, q=q),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )


class Workflows(Described):
    """`client.workflows`. Long-running work, run by the background worker.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        AuthenticationError: 401, `INVALID_TOKEN`: missing, malformed, unknown or revoked;
            `TOKEN_EXPIRED`: past its time.
        PermissionError: 403, `INSUFFICIENT_SCOPE`: the token lacks the scope.
        RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
        ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
        ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
            back-off.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: Call) -> None:
        self._execute = execute

    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[Workflow]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[Workflow]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> CursorPage[Workflow]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[Workflow] | CursorPage[Workflow]:
        """List workflow definitions.

        The workflows that can be run, each with the JSON Schema of its input.

        Scope: `workflows:read`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of workflow definitions.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            client.workflows.list(limit=50)
        """
        return self._execute(
            operations.workflows_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total), options
        )

    def run(
        self, name: str, *, input: Mapping[str, Any] | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> WorkflowRun:
        """Start a workflow run.

        Queues the run; the background worker takes it from there. Besides `workflows:write` it needs
        the scopes of what the run does: `user_import` needs `users:write` and `files:read`,
        `catalog_import` `products:write` and `files:read`, `catalog_export` `products:read` and
        `files:write`, `docs_publish` `files:read`. Two runs of an organisation are done at once; the
        others wait.

        Scope: `workflows:write`.

        Args:
            name: Name of the workflow, such as `catalog_export`.
            input: What the workflow works on, as its `input_schema` says; empty if left out.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The queued run.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.workflows.run("catalog_export", input={"format": "csv"})
        """
        return self._execute(operations.workflows_run(name, input=input), options)

    @overload
    def list_runs(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        status: WorkflowRunStatus | Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        workflow: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[WorkflowRun]: ...
    @overload
    def list_runs(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        status: WorkflowRunStatus | Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        workflow: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[WorkflowRun]: ...
    @overload
    def list_runs(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        status: WorkflowRunStatus | Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        workflow: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[WorkflowRun]: ...
    def list_runs(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        status: WorkflowRunStatus | Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        workflow: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[WorkflowRun] | CursorPage[WorkflowRun]:
        """List workflow runs.

        One page of runs, newest first.

        Scope: `workflows:read`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            status: Keep only runs with this status.
            workflow: Keep only runs of the workflow of this name.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of runs.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            client.workflows.list_runs(limit=50)
        """
        return self._execute(
            operations.workflows_list_runs(
                limit=limit, offset=offset, cursor=cursor, include_total=include_total, status=status, workflow=workflow
            ),
            options,
        )

    def get_run(self, run_id: str, **options: Unpack[RequestOptions]) -> WorkflowRun:
        """Fetch a workflow run.

        The run as it stands now.

        Scope: `workflows:read`.

        Args:
            run_id: Id of the run, `wfr_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The run.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.

        Example:
            client.workflows.get_run("wfr_777")
        """
        return self._execute(operations.workflows_get_run(run_id), options)

    def cancel_run(self, run_id: str, **options: Unpack[RequestOptions]) -> WorkflowRun:
        """Cancel a workflow run.

        Stops the run before its next step. A run that has ended cannot be cancelled.

        Scope: `workflows:write`.

        Args:
            run_id: Id of the run, `wfr_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The cancelled run.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.workflows.cancel_run("wfr_777")
        """
        return self._execute(operations.workflows_cancel_run(run_id), options)

    def list_all(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Pages[Workflow]:
        """List workflow definitions: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `workflows:read`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list` raises is raised while iterating.

        Example:
            for item in client.workflows.list_all().iter_items(): ...
        """
        return Pages(
            always_with(options, self._execute),
            partial(operations.workflows_list, limit=page_size),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )

    def list_all_runs(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        status: WorkflowRunStatus | Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        workflow: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Pages[WorkflowRun]:
        """List workflow runs: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `workflows:read`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            status: Keep only runs with this status.
            workflow: Keep only runs of the workflow of this name.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list_runs` raises is raised while iterating.

        Example:
            for item in client.workflows.list_all_runs().iter_items(): ...
        """
        return Pages(
            always_with(options, self._execute),
            partial(operations.workflows_list_runs, limit=page_size, status=status, workflow=workflow),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )


class AsyncWorkflows(Described):
    """`client.workflows`. Long-running work, run by the background worker.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        AuthenticationError: 401, `INVALID_TOKEN`: missing, malformed, unknown or revoked;
            `TOKEN_EXPIRED`: past its time.
        PermissionError: 403, `INSUFFICIENT_SCOPE`: the token lacks the scope.
        RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
        ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
        ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
            back-off.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: AsyncCall) -> None:
        self._execute = execute

    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[Workflow]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[Workflow]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> CursorPage[Workflow]: ...
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[Workflow] | CursorPage[Workflow]:
        """List workflow definitions.

        The workflows that can be run, each with the JSON Schema of its input.

        Scope: `workflows:read`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of workflow definitions.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            await client.workflows.list(limit=50)
        """
        return await self._execute(
            operations.workflows_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total), options
        )

    async def run(
        self, name: str, *, input: Mapping[str, Any] | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> WorkflowRun:
        """Start a workflow run.

        Queues the run; the background worker takes it from there. Besides `workflows:write` it needs
        the scopes of what the run does: `user_import` needs `users:write` and `files:read`,
        `catalog_import` `products:write` and `files:read`, `catalog_export` `products:read` and
        `files:write`, `docs_publish` `files:read`. Two runs of an organisation are done at once; the
        others wait.

        Scope: `workflows:write`.

        Args:
            name: Name of the workflow, such as `catalog_export`.
            input: What the workflow works on, as its `input_schema` says; empty if left out.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The queued run.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.workflows.run("catalog_export", input={"format": "csv"})
        """
        return await self._execute(operations.workflows_run(name, input=input), options)

    @overload
    async def list_runs(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        status: WorkflowRunStatus | Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        workflow: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[WorkflowRun]: ...
    @overload
    async def list_runs(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        status: WorkflowRunStatus | Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        workflow: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[WorkflowRun]: ...
    @overload
    async def list_runs(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        status: WorkflowRunStatus | Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        workflow: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[WorkflowRun]: ...
    async def list_runs(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        status: WorkflowRunStatus | Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        workflow: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[WorkflowRun] | CursorPage[WorkflowRun]:
        """List workflow runs.

        One page of runs, newest first.

        Scope: `workflows:read`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            status: Keep only runs with this status.
            workflow: Keep only runs of the workflow of this name.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of runs.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            await client.workflows.list_runs(limit=50)
        """
        return await self._execute(
            operations.workflows_list_runs(
                limit=limit, offset=offset, cursor=cursor, include_total=include_total, status=status, workflow=workflow
            ),
            options,
        )

    async def get_run(self, run_id: str, **options: Unpack[RequestOptions]) -> WorkflowRun:
        """Fetch a workflow run.

        The run as it stands now.

        Scope: `workflows:read`.

        Args:
            run_id: Id of the run, `wfr_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The run.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.

        Example:
            await client.workflows.get_run("wfr_777")
        """
        return await self._execute(operations.workflows_get_run(run_id), options)

    async def cancel_run(self, run_id: str, **options: Unpack[RequestOptions]) -> WorkflowRun:
        """Cancel a workflow run.

        Stops the run before its next step. A run that has ended cannot be cancelled.

        Scope: `workflows:write`.

        Args:
            run_id: Id of the run, `wfr_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The cancelled run.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.workflows.cancel_run("wfr_777")
        """
        return await self._execute(operations.workflows_cancel_run(run_id), options)

    def list_all(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> AsyncPages[Workflow]:
        """List workflow definitions: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `workflows:read`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list` raises is raised while iterating.

        Example:
            async for item in client.workflows.list_all().iter_items(): ...
        """
        return AsyncPages(
            async_always_with(options, self._execute),
            partial(operations.workflows_list, limit=page_size),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )

    def list_all_runs(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        status: WorkflowRunStatus | Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        workflow: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> AsyncPages[WorkflowRun]:
        """List workflow runs: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `workflows:read`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            status: Keep only runs with this status.
            workflow: Keep only runs of the workflow of this name.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list_runs` raises is raised while iterating.

        Example:
            async for item in client.workflows.list_all_runs().iter_items(): ...
        """
        return AsyncPages(
            async_always_with(options, self._execute),
            partial(operations.workflows_list_runs, limit=page_size, status=status, workflow=workflow),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )


class Files(Described):
    """`client.files`. Uploads and the results of workflows.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        AuthenticationError: 401, `INVALID_TOKEN`: missing, malformed, unknown or revoked;
            `TOKEN_EXPIRED`: past its time.
        PermissionError: 403, `INSUFFICIENT_SCOPE`: the token lacks the scope.
        RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
        ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
        ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
            back-off.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: Call) -> None:
        self._execute = execute

    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[File]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[File]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> CursorPage[File]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[File] | CursorPage[File]:
        """List files.

        One page of the organisation's files, newest first.

        Scope: `files:read`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of files.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            client.files.list(limit=50)
        """
        return self._execute(
            operations.files_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total), options
        )

    def upload(self, *, file: FileContent, name: str | Unset = UNSET, **options: Unpack[RequestOptions]) -> File:
        """Upload a file.

        Stores the bytes in the object store; size and checksum are computed on the way.

        Scope: `files:write`.

        Args:
            file: The bytes.
            name: Name to store it under, not blank and in one line; the uploaded file's own if left out.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The stored file.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.files.upload(file=Path("catalog.csv"))
        """
        return self._execute(operations.files_upload(file=file, name=name), options)

    def get(self, file_id: str, **options: Unpack[RequestOptions]) -> File:
        """Fetch a file's description.

        Name, type, size and checksum; `files_download` gives the bytes.

        Scope: `files:read`.

        Args:
            file_id: Id of the file, `file_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The file.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.

        Example:
            client.files.get("file_4711")
        """
        return self._execute(operations.files_get(file_id), options)

    def delete(self, file_id: str, **options: Unpack[RequestOptions]) -> None:
        """Delete a file.

        Deletes the description and the bytes.

        Scope: `files:write`.

        Args:
            file_id: Id of the file, `file_…`.
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.files.delete("file_4711")
        """
        return self._execute(operations.files_delete(file_id), options)

    def download(self, file_id: str, **options: Unpack[RequestOptions]) -> bytes:
        """Download a file.

        The bytes as they were uploaded, never compressed; a `Range` header asks for a part of them,
        `If-Range` only of the version that it names.

        Scope: `files:read`.

        Args:
            file_id: Id of the file, `file_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The whole file.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            RedcoreAPIError: 412, `PRECONDITION_FAILED`: the file is not the one that the caller's
                `If-Match` names.
            RedcoreAPIError: 416, `RANGE_NOT_SATISFIABLE`: the file has none of the bytes that were asked
                for.

        Example:
            client.files.download("file_4711")
        """
        return self._execute(operations.files_download(file_id), options)

    def list_all(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Pages[File]:
        """List files: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `files:read`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list` raises is raised while iterating.

        Example:
            for item in client.files.list_all().iter_items(): ...
        """
        return Pages(
            always_with(options, self._execute),
            partial(operations.files_list, limit=page_size),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )


class AsyncFiles(Described):
    """`client.files`. Uploads and the results of workflows.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        AuthenticationError: 401, `INVALID_TOKEN`: missing, malformed, unknown or revoked;
            `TOKEN_EXPIRED`: past its time.
        PermissionError: 403, `INSUFFICIENT_SCOPE`: the token lacks the scope.
        RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
        ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
        ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
            back-off.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: AsyncCall) -> None:
        self._execute = execute

    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[File]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[File]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> CursorPage[File]: ...
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[File] | CursorPage[File]:
        """List files.

        One page of the organisation's files, newest first.

        Scope: `files:read`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of files.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            await client.files.list(limit=50)
        """
        return await self._execute(
            operations.files_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total), options
        )

    async def upload(self, *, file: FileContent, name: str | Unset = UNSET, **options: Unpack[RequestOptions]) -> File:
        """Upload a file.

        Stores the bytes in the object store; size and checksum are computed on the way.

        Scope: `files:write`.

        Args:
            file: The bytes.
            name: Name to store it under, not blank and in one line; the uploaded file's own if left out.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The stored file.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.files.upload(file=Path("catalog.csv"))
        """
        return await self._execute(operations.files_upload(file=file, name=name), options)

    async def get(self, file_id: str, **options: Unpack[RequestOptions]) -> File:
        """Fetch a file's description.

        Name, type, size and checksum; `files_download` gives the bytes.

        Scope: `files:read`.

        Args:
            file_id: Id of the file, `file_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The file.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.

        Example:
            await client.files.get("file_4711")
        """
        return await self._execute(operations.files_get(file_id), options)

    async def delete(self, file_id: str, **options: Unpack[RequestOptions]) -> None:
        """Delete a file.

        Deletes the description and the bytes.

        Scope: `files:write`.

        Args:
            file_id: Id of the file, `file_…`.
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.files.delete("file_4711")
        """
        return await self._execute(operations.files_delete(file_id), options)

    async def download(self, file_id: str, **options: Unpack[RequestOptions]) -> bytes:
        """Download a file.

        The bytes as they were uploaded, never compressed; a `Range` header asks for a part of them,
        `If-Range` only of the version that it names.

        Scope: `files:read`.

        Args:
            file_id: Id of the file, `file_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The whole file.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            RedcoreAPIError: 412, `PRECONDITION_FAILED`: the file is not the one that the caller's
                `If-Match` names.
            RedcoreAPIError: 416, `RANGE_NOT_SATISFIABLE`: the file has none of the bytes that were asked
                for.

        Example:
            await client.files.download("file_4711")
        """
        return await self._execute(operations.files_download(file_id), options)

    def list_all(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> AsyncPages[File]:
        """List files: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `files:read`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list` raises is raised while iterating.

        Example:
            async for item in client.files.list_all().iter_items(): ...
        """
        return AsyncPages(
            async_always_with(options, self._execute),
            partial(operations.files_list, limit=page_size),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )


class ApiKeys(Described):
    """`client.api_keys`. Long-lived credentials for scripts and services.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        AuthenticationError: 401, `INVALID_TOKEN`: missing, malformed, unknown or revoked;
            `TOKEN_EXPIRED`: past its time.
        PermissionError: 403, `INSUFFICIENT_SCOPE`: the token lacks the scope.
        RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
        ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
        ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
            back-off.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: Call) -> None:
        self._execute = execute

    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[ApiKey]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[ApiKey]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> CursorPage[ApiKey]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[ApiKey] | CursorPage[ApiKey]:
        """List API keys.

        One page of the organisation's API keys, newest first; the keys themselves are never shown
        again.

        Scope: `admin`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of API keys.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            client.api_keys.list(limit=50)
        """
        return self._execute(
            operations.api_keys_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total), options
        )

    def create(
        self,
        *,
        name: str,
        scopes: Sequence[
            Scope
            | Literal[
                "profile:read",
                "profile:write",
                "users:read",
                "users:write",
                "products:read",
                "products:write",
                "workflows:read",
                "workflows:write",
                "files:read",
                "files:write",
                "admin",
            ]
        ],
        mode: ApiKeyMode | Literal["live", "test"] | Unset = UNSET,
        expires_at: datetime.datetime | None | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> ApiKeyCreated:
        """Create an API key.

        The answer is the only place that ever shows the key; it is stored hashed.

        Scope: `admin`.

        Args:
            name: What it is for, visible, in one line, without white space at its ends.
            scopes: What the key may do.
            mode: `live` if left out.
            expires_at: When the key ends; never if null or left out.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The new API key, with the key itself.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.api_keys.create(name="nightly export", scopes=["products:read"])
        """
        return self._execute(
            operations.api_keys_create(name=name, scopes=scopes, mode=mode, expires_at=expires_at), options
        )

    def revoke(self, key_id: str, **options: Unpack[RequestOptions]) -> None:
        """Revoke an API key.

        The key is refused from now on. Workflow runs that it started fail before they change anything.

        Scope: `admin`.

        Args:
            key_id: Id of the API key, `key_…` (not the key itself).
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.api_keys.revoke("key_1")
        """
        return self._execute(operations.api_keys_revoke(key_id), options)

    def list_all(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Pages[ApiKey]:
        """List API keys: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `admin`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list` raises is raised while iterating.

        Example:
            for item in client.api_keys.list_all().iter_items(): ...
        """
        return Pages(
            always_with(options, self._execute),
            partial(operations.api_keys_list, limit=page_size),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )


class AsyncApiKeys(Described):
    """`client.api_keys`. Long-lived credentials for scripts and services.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        AuthenticationError: 401, `INVALID_TOKEN`: missing, malformed, unknown or revoked;
            `TOKEN_EXPIRED`: past its time.
        PermissionError: 403, `INSUFFICIENT_SCOPE`: the token lacks the scope.
        RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
        ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
        ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
            back-off.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: AsyncCall) -> None:
        self._execute = execute

    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[ApiKey]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[ApiKey]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> CursorPage[ApiKey]: ...
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[ApiKey] | CursorPage[ApiKey]:
        """List API keys.

        One page of the organisation's API keys, newest first; the keys themselves are never shown
        again.

        Scope: `admin`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of API keys.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            await client.api_keys.list(limit=50)
        """
        return await self._execute(
            operations.api_keys_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total), options
        )

    async def create(
        self,
        *,
        name: str,
        scopes: Sequence[
            Scope
            | Literal[
                "profile:read",
                "profile:write",
                "users:read",
                "users:write",
                "products:read",
                "products:write",
                "workflows:read",
                "workflows:write",
                "files:read",
                "files:write",
                "admin",
            ]
        ],
        mode: ApiKeyMode | Literal["live", "test"] | Unset = UNSET,
        expires_at: datetime.datetime | None | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> ApiKeyCreated:
        """Create an API key.

        The answer is the only place that ever shows the key; it is stored hashed.

        Scope: `admin`.

        Args:
            name: What it is for, visible, in one line, without white space at its ends.
            scopes: What the key may do.
            mode: `live` if left out.
            expires_at: When the key ends; never if null or left out.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The new API key, with the key itself.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.api_keys.create(name="nightly export", scopes=["products:read"])
        """
        return await self._execute(
            operations.api_keys_create(name=name, scopes=scopes, mode=mode, expires_at=expires_at), options
        )

    async def revoke(self, key_id: str, **options: Unpack[RequestOptions]) -> None:
        """Revoke an API key.

        The key is refused from now on. Workflow runs that it started fail before they change anything.

        Scope: `admin`.

        Args:
            key_id: Id of the API key, `key_…` (not the key itself).
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.api_keys.revoke("key_1")
        """
        return await self._execute(operations.api_keys_revoke(key_id), options)

    def list_all(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> AsyncPages[ApiKey]:
        """List API keys: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `admin`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list` raises is raised while iterating.

        Example:
            async for item in client.api_keys.list_all().iter_items(): ...
        """
        return AsyncPages(
            async_always_with(options, self._execute),
            partial(operations.api_keys_list, limit=page_size),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )


class Applications(Described):
    """`client.applications`. OAuth 2.0 clients.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        AuthenticationError: 401, `INVALID_TOKEN`: missing, malformed, unknown or revoked;
            `TOKEN_EXPIRED`: past its time.
        PermissionError: 403, `INSUFFICIENT_SCOPE`: the token lacks the scope.
        RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
        ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
        ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
            back-off.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: Call) -> None:
        self._execute = execute

    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[Application]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[Application]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> CursorPage[Application]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[Application] | CursorPage[Application]:
        """List applications.

        One page of the organisation's OAuth clients, newest first.

        Scope: `admin`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of applications.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            client.applications.list(limit=50)
        """
        return self._execute(
            operations.applications_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total),
            options,
        )

    def create(
        self,
        *,
        name: str,
        scopes: Sequence[
            Scope
            | Literal[
                "profile:read",
                "profile:write",
                "users:read",
                "users:write",
                "products:read",
                "products:write",
                "workflows:read",
                "workflows:write",
                "files:read",
                "files:write",
                "admin",
            ]
        ],
        type: ApplicationType | Literal["confidential", "public"] | Unset = UNSET,
        redirect_uris: Sequence[str] | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> ApplicationCredentials:
        """Register an application.

        Registers an OAuth client. The answer is the only place that ever shows its secret.

        Scope: `admin`.

        Args:
            name: Name that the consent page shows, visible, in one line, without white space at its ends.
            scopes: What it may ask for.
            type: `confidential` if left out.
            redirect_uris: Where it may send people back to; none if left out.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The new application, with its secret.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.applications.create(name="Storefront", scopes=["products:read"])
        """
        return self._execute(
            operations.applications_create(name=name, scopes=scopes, type=type, redirect_uris=redirect_uris), options
        )

    def delete(self, application_id: str, **options: Unpack[RequestOptions]) -> None:
        """Delete an application.

        The application and all tokens it was given are refused from now on. Workflow runs that were
        started with these fail before they change anything.

        Scope: `admin`.

        Args:
            application_id: Id of the application, `app_…`; it is also its OAuth `client_id`.
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.applications.delete("app_1")
        """
        return self._execute(operations.applications_delete(application_id), options)

    def rotate_secret(self, application_id: str, **options: Unpack[RequestOptions]) -> ApplicationCredentials:
        """Give an application a new secret.

        The old secret stays valid for a while, so that running services can change over.

        Scope: `admin`.

        Args:
            application_id: Id of the application, `app_…`; it is also its OAuth `client_id`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The application, with its new secret.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            client.applications.rotate_secret("app_1")
        """
        return self._execute(operations.applications_rotate_secret(application_id), options)

    def list_all(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Pages[Application]:
        """List applications: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `admin`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list` raises is raised while iterating.

        Example:
            for item in client.applications.list_all().iter_items(): ...
        """
        return Pages(
            always_with(options, self._execute),
            partial(operations.applications_list, limit=page_size),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )


class AsyncApplications(Described):
    """`client.applications`. OAuth 2.0 clients.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        AuthenticationError: 401, `INVALID_TOKEN`: missing, malformed, unknown or revoked;
            `TOKEN_EXPIRED`: past its time.
        PermissionError: 403, `INSUFFICIENT_SCOPE`: the token lacks the scope.
        RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
        ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
        ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
            back-off.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: AsyncCall) -> None:
        self._execute = execute

    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[True] | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[Application]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> CursorPage[Application]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> CursorPage[Application]: ...
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[Application] | CursorPage[Application]:
        """List applications.

        One page of the organisation's OAuth clients, newest first.

        Scope: `admin`.

        Args:
            limit: Items a page; more than 100 counts as 100.
            offset: Items to skip.
            cursor: The `next_cursor` of the page before, for the page behind it. It belongs to that listing
                and its filters, and does not go together with `offset`. The page leaves `total` and `offset`
                out unless `include_total` is true.
            include_total: Whether to count the whole listing, which takes longer the more it holds; by
                default only a page without `cursor` does.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            A page of applications.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.

        Example:
            await client.applications.list(limit=50)
        """
        return await self._execute(
            operations.applications_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total),
            options,
        )

    async def create(
        self,
        *,
        name: str,
        scopes: Sequence[
            Scope
            | Literal[
                "profile:read",
                "profile:write",
                "users:read",
                "users:write",
                "products:read",
                "products:write",
                "workflows:read",
                "workflows:write",
                "files:read",
                "files:write",
                "admin",
            ]
        ],
        type: ApplicationType | Literal["confidential", "public"] | Unset = UNSET,
        redirect_uris: Sequence[str] | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> ApplicationCredentials:
        """Register an application.

        Registers an OAuth client. The answer is the only place that ever shows its secret.

        Scope: `admin`.

        Args:
            name: Name that the consent page shows, visible, in one line, without white space at its ends.
            scopes: What it may ask for.
            type: `confidential` if left out.
            redirect_uris: Where it may send people back to; none if left out.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The new application, with its secret.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the body is larger than the endpoint takes.
            RedcoreAPIError: 415, `UNSUPPORTED_MEDIA_TYPE`: the body is not of the type that the endpoint
                takes.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.applications.create(name="Storefront", scopes=["products:read"])
        """
        return await self._execute(
            operations.applications_create(name=name, scopes=scopes, type=type, redirect_uris=redirect_uris), options
        )

    async def delete(self, application_id: str, **options: Unpack[RequestOptions]) -> None:
        """Delete an application.

        The application and all tokens it was given are refused from now on. Workflow runs that were
        started with these fail before they change anything.

        Scope: `admin`.

        Args:
            application_id: Id of the application, `app_…`; it is also its OAuth `client_id`.
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.applications.delete("app_1")
        """
        return await self._execute(operations.applications_delete(application_id), options)

    async def rotate_secret(self, application_id: str, **options: Unpack[RequestOptions]) -> ApplicationCredentials:
        """Give an application a new secret.

        The old secret stays valid for a while, so that running services can change over.

        Scope: `admin`.

        Args:
            application_id: Id of the application, `app_…`; it is also its OAuth `client_id`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The application, with its new secret.

        Raises:
            ValidationError: 400, `VALIDATION_ERROR`: malformed JSON, a bad query value or a bad field.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such resource in this organisation.
            ConflictError: 409, `DUPLICATE_RESOURCE`: a unique value is taken; `REQUEST_IN_PROGRESS`: a
                request with the same `Idempotency-Key` is still running.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: well-formed but not allowed;
                `IDEMPOTENCY_KEY_REUSED`: the key came with another body before.

        Example:
            await client.applications.rotate_secret("app_1")
        """
        return await self._execute(operations.applications_rotate_secret(application_id), options)

    def list_all(
        self,
        *,
        page_size: int = 100,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> AsyncPages[Application]:
        """List applications: every page, fetched as it is reached, or some pages ahead.

        Iterate the result for its pages, each page for its items, or `.iter_items()` for the items of
        all pages.

        Scope: `admin`.

        Args:
            page_size: Items a page, from 1 to 100 (default 100); more counts as 100.
            concurrency: Pages to fetch at a time (default 1: each when it is reached). They come in order
                all the same.
            offset: Items to skip; the `offset` of an earlier iteration goes on where that one ended.
            cursor: Where to begin instead: a page's `meta.next_cursor` goes on behind that page; only with
                `concurrency` 1.
            options: Options of each fetch alone, as `with_options` takes them.

        Returns:
            The pages, to iterate; nothing is fetched before.

        Raises:
            ArgumentError: `concurrency` is less than 1, or a `cursor` is given together with an `offset` or
                more `concurrency`.

        What `list` raises is raised while iterating.

        Example:
            async for item in client.applications.list_all().iter_items(): ...
        """
        return AsyncPages(
            async_always_with(options, self._execute),
            partial(operations.applications_list, limit=page_size),
            concurrency=concurrency,
            offset=offset,
            cursor=cursor,
        )


class Auth(Described):
    """`client.auth`. OAuth 2.0 endpoints for programs.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: Call) -> None:
        self._execute = execute

    def revoke(self, *, token: str, token_type_hint: str | Unset = UNSET, **options: Unpack[RequestOptions]) -> None:
        """Revoke a token.

        RFC 7009. Succeeds for unknown tokens too. Revoking a refresh token kills the access tokens
        derived from it.

        Args:
            token: The access or refresh token.
            token_type_hint: `access_token` or `refresh_token`, if known.
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            AuthenticationError: 400, The grant or the request is refused (RFC 6749 section 5.2).
            AuthenticationError: 401, The client is unknown or its secret is wrong (`invalid_client`).
            RedcoreAPIError: 413, `invalid_request`: the body is larger than the endpoint takes.
            RateLimitError: 429, `slow_down`: too many requests; wait `Retry-After` seconds.
            ServerError: 500, `server_error`: a fault of the platform; try again with back-off.
            ServerError: 503, `temporarily_unavailable`: a part of the platform is away; wait `Retry-After`
                seconds.

        Example:
            client.auth.revoke(token="EXAMPLE-REFRESH-TOKEN", token_type_hint="refresh_token")
        """
        return self._execute(operations.auth_revoke(token=token, token_type_hint=token_type_hint), options)

    def introspect(
        self, *, token: str, token_type_hint: str | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> Introspection:
        """Look a token up.

        RFC 7662. A token that is unknown, dead or another organisation's is `{"active": false}`.

        Args:
            token: The access or refresh token.
            token_type_hint: `access_token` or `refresh_token`, if known.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            What is known of the token.

        Raises:
            AuthenticationError: 400, The grant or the request is refused (RFC 6749 section 5.2).
            AuthenticationError: 401, The client is unknown or its secret is wrong (`invalid_client`).
            RedcoreAPIError: 413, `invalid_request`: the body is larger than the endpoint takes.
            RateLimitError: 429, `slow_down`: too many requests; wait `Retry-After` seconds.
            ServerError: 500, `server_error`: a fault of the platform; try again with back-off.
            ServerError: 503, `temporarily_unavailable`: a part of the platform is away; wait `Retry-After`
                seconds.

        Example:
            client.auth.introspect(token="EXAMPLE.ACCESS.TOKEN")
        """
        return self._execute(operations.auth_introspect(token=token, token_type_hint=token_type_hint), options)

    def metadata(self, **options: Unpack[RequestOptions]) -> ServerMetadata:
        """Fetch the authorization server's metadata.

        RFC 8414.

        Args:
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The metadata.

        Raises:
            RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
            ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
            ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
                back-off.

        Example:
            client.auth.metadata()
        """
        return self._execute(operations.auth_metadata(), options)

    def jwks(self, **options: Unpack[RequestOptions]) -> Jwks:
        """Fetch the keys that sign access tokens.

        RFC 7517. Keys rotate with an overlap, so a verifier that refetches on an unknown `kid` never
        fails.

        Args:
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The key set.

        Raises:
            RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
            ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
            ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
                back-off.

        Example:
            client.auth.jwks()
        """
        return self._execute(operations.auth_jwks(), options)


class AsyncAuth(Described):
    """`client.auth`. OAuth 2.0 endpoints for programs.

    Every method can raise these errors; each method lists only its own further ones.

    Raises:
        ArgumentError: an argument cannot be sent.
        NetworkError: no response was received.
        ResponseError: the response cannot be read.
    """

    __slots__ = ("_execute",)

    def __init__(self, execute: AsyncCall) -> None:
        self._execute = execute

    async def revoke(
        self, *, token: str, token_type_hint: str | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> None:
        """Revoke a token.

        RFC 7009. Succeeds for unknown tokens too. Revoking a refresh token kills the access tokens
        derived from it.

        Args:
            token: The access or refresh token.
            token_type_hint: `access_token` or `refresh_token`, if known.
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            AuthenticationError: 400, The grant or the request is refused (RFC 6749 section 5.2).
            AuthenticationError: 401, The client is unknown or its secret is wrong (`invalid_client`).
            RedcoreAPIError: 413, `invalid_request`: the body is larger than the endpoint takes.
            RateLimitError: 429, `slow_down`: too many requests; wait `Retry-After` seconds.
            ServerError: 500, `server_error`: a fault of the platform; try again with back-off.
            ServerError: 503, `temporarily_unavailable`: a part of the platform is away; wait `Retry-After`
                seconds.

        Example:
            await client.auth.revoke(token="EXAMPLE-REFRESH-TOKEN", token_type_hint="refresh_token")
        """
        return await self._execute(operations.auth_revoke(token=token, token_type_hint=token_type_hint), options)

    async def introspect(
        self, *, token: str, token_type_hint: str | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> Introspection:
        """Look a token up.

        RFC 7662. A token that is unknown, dead or another organisation's is `{"active": false}`.

        Args:
            token: The access or refresh token.
            token_type_hint: `access_token` or `refresh_token`, if known.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            What is known of the token.

        Raises:
            AuthenticationError: 400, The grant or the request is refused (RFC 6749 section 5.2).
            AuthenticationError: 401, The client is unknown or its secret is wrong (`invalid_client`).
            RedcoreAPIError: 413, `invalid_request`: the body is larger than the endpoint takes.
            RateLimitError: 429, `slow_down`: too many requests; wait `Retry-After` seconds.
            ServerError: 500, `server_error`: a fault of the platform; try again with back-off.
            ServerError: 503, `temporarily_unavailable`: a part of the platform is away; wait `Retry-After`
                seconds.

        Example:
            await client.auth.introspect(token="EXAMPLE.ACCESS.TOKEN")
        """
        return await self._execute(operations.auth_introspect(token=token, token_type_hint=token_type_hint), options)

    async def metadata(self, **options: Unpack[RequestOptions]) -> ServerMetadata:
        """Fetch the authorization server's metadata.

        RFC 8414.

        Args:
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The metadata.

        Raises:
            RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
            ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
            ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
                back-off.

        Example:
            await client.auth.metadata()
        """
        return await self._execute(operations.auth_metadata(), options)

    async def jwks(self, **options: Unpack[RequestOptions]) -> Jwks:
        """Fetch the keys that sign access tokens.

        RFC 7517. Keys rotate with an overlap, so a verifier that refetches on an unknown `kid` never
        fails.

        Args:
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The key set.

        Raises:
            RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
            ServerError: 500, `INTERNAL_ERROR`: a fault of the platform; try again with back-off.
            ServerError: 503, `SERVICE_UNAVAILABLE`: a part of the platform is away; try again with
                back-off.

        Example:
            await client.auth.jwks()
        """
        return await self._execute(operations.auth_jwks(), options)


class Resources(ABC):
    """The resources of a client, each made when it is first asked for."""

    @abstractmethod
    def _execute(self, operation: Operation[T], options: RequestOptions | None = None, /) -> T: ...

    @resource
    def users(self) -> Users:
        """People of an organisation, and the one who is calling."""
        return Users(self._execute)

    @resource
    def products(self) -> Products:
        """The catalog."""
        return Products(self._execute)

    @resource
    def workflows(self) -> Workflows:
        """Long-running work, run by the background worker."""
        return Workflows(self._execute)

    @resource
    def files(self) -> Files:
        """Uploads and the results of workflows."""
        return Files(self._execute)

    @resource
    def api_keys(self) -> ApiKeys:
        """Long-lived credentials for scripts and services."""
        return ApiKeys(self._execute)

    @resource
    def applications(self) -> Applications:
        """OAuth 2.0 clients."""
        return Applications(self._execute)

    @resource
    def auth(self) -> Auth:
        """OAuth 2.0 endpoints for programs."""
        return Auth(self._execute)


class AsyncResources(ABC):
    """The resources of a client, each made when it is first asked for."""

    @abstractmethod
    async def _execute(self, operation: Operation[T], options: RequestOptions | None = None, /) -> T: ...

    @resource
    def users(self) -> AsyncUsers:
        """People of an organisation, and the one who is calling."""
        return AsyncUsers(self._execute)

    @resource
    def products(self) -> AsyncProducts:
        """The catalog."""
        return AsyncProducts(self._execute)

    @resource
    def workflows(self) -> AsyncWorkflows:
        """Long-running work, run by the background worker."""
        return AsyncWorkflows(self._execute)

    @resource
    def files(self) -> AsyncFiles:
        """Uploads and the results of workflows."""
        return AsyncFiles(self._execute)

    @resource
    def api_keys(self) -> AsyncApiKeys:
        """Long-lived credentials for scripts and services."""
        return AsyncApiKeys(self._execute)

    @resource
    def applications(self) -> AsyncApplications:
        """OAuth 2.0 clients."""
        return AsyncApplications(self._execute)

    @resource
    def auth(self) -> AsyncAuth:
        """OAuth 2.0 endpoints for programs."""
        return AsyncAuth(self._execute)
