"""`client.raw`: the methods of the resources, giving the answers too, in both colours.

Imported when `client.raw` is first used. Generated from openapi/redcore.yaml; do not edit.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack, overload

from redcore._base.values import UNSET, FileContent, Unset
from redcore._resources.calls import AsyncCall, Call
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
from redcore._wire.raw_response import RawResponse, raw
from redcore.options import RequestOptions


class RawUsers(Described):
    """`client.raw.users`. People of an organisation, and the one who is calling."""

    __slots__ = ("_execute",)

    def __init__(self, execute: Call) -> None:
        self._execute = execute

    def get_me(self, **options: Unpack[RequestOptions]) -> RawResponse[User]:
        """`client.users.get_me`, with the answer."""
        return self._execute(raw(operations.users_get_me()), options)

    def update_me(self, *, name: str | Unset = UNSET, **options: Unpack[RequestOptions]) -> RawResponse[User]:
        """`client.users.update_me`, with the answer."""
        return self._execute(raw(operations.users_update_me(name=name)), options)

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
    ) -> RawResponse[Page[User]]: ...
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
    ) -> RawResponse[CursorPage[User]]: ...
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
    ) -> RawResponse[CursorPage[User]]: ...
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
    ) -> RawResponse[Page[User] | CursorPage[User]]:
        """`client.users.list`, with the answer."""
        return self._execute(
            raw(
                operations.users_list(
                    limit=limit,
                    offset=offset,
                    cursor=cursor,
                    include_total=include_total,
                    role=role,
                    status=status,
                    q=q,
                )
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
    ) -> RawResponse[User]:
        """`client.users.create`, with the answer."""
        return self._execute(raw(operations.users_create(email=email, name=name, role=role)), options)

    def get(self, user_id: str, **options: Unpack[RequestOptions]) -> RawResponse[User]:
        """`client.users.get`, with the answer."""
        return self._execute(raw(operations.users_get(user_id)), options)

    def delete(self, user_id: str, **options: Unpack[RequestOptions]) -> RawResponse[None]:
        """`client.users.delete`, with the answer."""
        return self._execute(raw(operations.users_delete(user_id)), options)

    def update(
        self,
        user_id: str,
        *,
        email: str | Unset = UNSET,
        name: str | Unset = UNSET,
        role: UserRole | Literal["admin", "editor", "viewer"] | Unset = UNSET,
        status: UserStatus | Literal["active", "inactive"] | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[User]:
        """`client.users.update`, with the answer."""
        return self._execute(
            raw(operations.users_update(user_id, email=email, name=name, role=role, status=status)), options
        )

    def resend_invitation(self, user_id: str, **options: Unpack[RequestOptions]) -> RawResponse[User]:
        """`client.users.resend_invitation`, with the answer."""
        return self._execute(raw(operations.users_resend_invitation(user_id)), options)


class AsyncRawUsers(Described):
    """`client.raw.users`. People of an organisation, and the one who is calling."""

    __slots__ = ("_execute",)

    def __init__(self, execute: AsyncCall) -> None:
        self._execute = execute

    async def get_me(self, **options: Unpack[RequestOptions]) -> RawResponse[User]:
        """`client.users.get_me`, with the answer."""
        return await self._execute(raw(operations.users_get_me()), options)

    async def update_me(self, *, name: str | Unset = UNSET, **options: Unpack[RequestOptions]) -> RawResponse[User]:
        """`client.users.update_me`, with the answer."""
        return await self._execute(raw(operations.users_update_me(name=name)), options)

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
    ) -> RawResponse[Page[User]]: ...
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
    ) -> RawResponse[CursorPage[User]]: ...
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
    ) -> RawResponse[CursorPage[User]]: ...
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
    ) -> RawResponse[Page[User] | CursorPage[User]]:
        """`client.users.list`, with the answer."""
        return await self._execute(
            raw(
                operations.users_list(
                    limit=limit,
                    offset=offset,
                    cursor=cursor,
                    include_total=include_total,
                    role=role,
                    status=status,
                    q=q,
                )
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
    ) -> RawResponse[User]:
        """`client.users.create`, with the answer."""
        return await self._execute(raw(operations.users_create(email=email, name=name, role=role)), options)

    async def get(self, user_id: str, **options: Unpack[RequestOptions]) -> RawResponse[User]:
        """`client.users.get`, with the answer."""
        return await self._execute(raw(operations.users_get(user_id)), options)

    async def delete(self, user_id: str, **options: Unpack[RequestOptions]) -> RawResponse[None]:
        """`client.users.delete`, with the answer."""
        return await self._execute(raw(operations.users_delete(user_id)), options)

    async def update(
        self,
        user_id: str,
        *,
        email: str | Unset = UNSET,
        name: str | Unset = UNSET,
        role: UserRole | Literal["admin", "editor", "viewer"] | Unset = UNSET,
        status: UserStatus | Literal["active", "inactive"] | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[User]:
        """`client.users.update`, with the answer."""
        return await self._execute(
            raw(operations.users_update(user_id, email=email, name=name, role=role, status=status)), options
        )

    async def resend_invitation(self, user_id: str, **options: Unpack[RequestOptions]) -> RawResponse[User]:
        """`client.users.resend_invitation`, with the answer."""
        return await self._execute(raw(operations.users_resend_invitation(user_id)), options)


class RawProducts(Described):
    """`client.raw.products`. The catalog."""

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
    ) -> RawResponse[Page[Product]]: ...
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
    ) -> RawResponse[CursorPage[Product]]: ...
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
    ) -> RawResponse[CursorPage[Product]]: ...
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
    ) -> RawResponse[Page[Product] | CursorPage[Product]]:
        """`client.products.list`, with the answer."""
        return self._execute(
            raw(
                operations.products_list(
                    limit=limit, offset=offset, cursor=cursor, include_total=include_total, status=status, q=q
                )
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
    ) -> RawResponse[Product]:
        """`client.products.create`, with the answer."""
        return self._execute(
            raw(operations.products_create(name=name, sku=sku, price=price, stock=stock, status=status)), options
        )

    def get(self, product_id: str, **options: Unpack[RequestOptions]) -> RawResponse[Product]:
        """`client.products.get`, with the answer."""
        return self._execute(raw(operations.products_get(product_id)), options)

    def delete(self, product_id: str, **options: Unpack[RequestOptions]) -> RawResponse[None]:
        """`client.products.delete`, with the answer."""
        return self._execute(raw(operations.products_delete(product_id)), options)

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
    ) -> RawResponse[Product]:
        """`client.products.update`, with the answer."""
        return self._execute(
            raw(operations.products_update(product_id, name=name, sku=sku, price=price, stock=stock, status=status)),
            options,
        )


class AsyncRawProducts(Described):
    """`client.raw.products`. The catalog."""

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
    ) -> RawResponse[Page[Product]]: ...
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
    ) -> RawResponse[CursorPage[Product]]: ...
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
    ) -> RawResponse[CursorPage[Product]]: ...
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
    ) -> RawResponse[Page[Product] | CursorPage[Product]]:
        """`client.products.list`, with the answer."""
        return await self._execute(
            raw(
                operations.products_list(
                    limit=limit, offset=offset, cursor=cursor, include_total=include_total, status=status, q=q
                )
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
    ) -> RawResponse[Product]:
        """`client.products.create`, with the answer."""
        return await self._execute(
            raw(operations.products_create(name=name, sku=sku, price=price, stock=stock, status=status)), options
        )

    async def get(self, product_id: str, **options: Unpack[RequestOptions]) -> RawResponse[Product]:
        """`client.products.get`, with the answer."""
        return await self._execute(raw(operations.products_get(product_id)), options)

    async def delete(self, product_id: str, **options: Unpack[RequestOptions]) -> RawResponse[None]:
        """`client.products.delete`, with the answer."""
        return await self._execute(raw(operations.products_delete(product_id)), options)

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
    ) -> RawResponse[Product]:
        """`client.products.update`, with the answer."""
        return await self._execute(
            raw(operations.products_update(product_id, name=name, sku=sku, price=price, stock=stock, status=status)),
            options,
        )


class RawWorkflows(Described):
    """`client.raw.workflows`. Long-running work, run by the background worker."""

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
    ) -> RawResponse[Page[Workflow]]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[Workflow]]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[Workflow]]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[Page[Workflow] | CursorPage[Workflow]]:
        """`client.workflows.list`, with the answer."""
        return self._execute(
            raw(operations.workflows_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total)),
            options,
        )

    def run(
        self, name: str, *, input: Mapping[str, Any] | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> RawResponse[WorkflowRun]:
        """`client.workflows.run`, with the answer."""
        return self._execute(raw(operations.workflows_run(name, input=input)), options)

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
    ) -> RawResponse[Page[WorkflowRun]]: ...
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
    ) -> RawResponse[CursorPage[WorkflowRun]]: ...
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
    ) -> RawResponse[CursorPage[WorkflowRun]]: ...
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
    ) -> RawResponse[Page[WorkflowRun] | CursorPage[WorkflowRun]]:
        """`client.workflows.list_runs`, with the answer."""
        return self._execute(
            raw(
                operations.workflows_list_runs(
                    limit=limit,
                    offset=offset,
                    cursor=cursor,
                    include_total=include_total,
                    status=status,
                    workflow=workflow,
                )
            ),
            options,
        )

    def get_run(self, run_id: str, **options: Unpack[RequestOptions]) -> RawResponse[WorkflowRun]:
        """`client.workflows.get_run`, with the answer."""
        return self._execute(raw(operations.workflows_get_run(run_id)), options)

    def cancel_run(self, run_id: str, **options: Unpack[RequestOptions]) -> RawResponse[WorkflowRun]:
        """`client.workflows.cancel_run`, with the answer."""
        return self._execute(raw(operations.workflows_cancel_run(run_id)), options)


class AsyncRawWorkflows(Described):
    """`client.raw.workflows`. Long-running work, run by the background worker."""

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
    ) -> RawResponse[Page[Workflow]]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[Workflow]]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[Workflow]]: ...
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[Page[Workflow] | CursorPage[Workflow]]:
        """`client.workflows.list`, with the answer."""
        return await self._execute(
            raw(operations.workflows_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total)),
            options,
        )

    async def run(
        self, name: str, *, input: Mapping[str, Any] | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> RawResponse[WorkflowRun]:
        """`client.workflows.run`, with the answer."""
        return await self._execute(raw(operations.workflows_run(name, input=input)), options)

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
    ) -> RawResponse[Page[WorkflowRun]]: ...
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
    ) -> RawResponse[CursorPage[WorkflowRun]]: ...
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
    ) -> RawResponse[CursorPage[WorkflowRun]]: ...
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
    ) -> RawResponse[Page[WorkflowRun] | CursorPage[WorkflowRun]]:
        """`client.workflows.list_runs`, with the answer."""
        return await self._execute(
            raw(
                operations.workflows_list_runs(
                    limit=limit,
                    offset=offset,
                    cursor=cursor,
                    include_total=include_total,
                    status=status,
                    workflow=workflow,
                )
            ),
            options,
        )

    async def get_run(self, run_id: str, **options: Unpack[RequestOptions]) -> RawResponse[WorkflowRun]:
        """`client.workflows.get_run`, with the answer."""
        return await self._execute(raw(operations.workflows_get_run(run_id)), options)

    async def cancel_run(self, run_id: str, **options: Unpack[RequestOptions]) -> RawResponse[WorkflowRun]:
        """`client.workflows.cancel_run`, with the answer."""
        return await self._execute(raw(operations.workflows_cancel_run(run_id)), options)


class RawFiles(Described):
    """`client.raw.files`. Uploads and the results of workflows."""

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
    ) -> RawResponse[Page[File]]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[File]]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[File]]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[Page[File] | CursorPage[File]]:
        """`client.files.list`, with the answer."""
        return self._execute(
            raw(operations.files_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total)), options
        )

    def upload(
        self, *, file: FileContent, name: str | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> RawResponse[File]:
        """`client.files.upload`, with the answer."""
        return self._execute(raw(operations.files_upload(file=file, name=name)), options)

    def get(self, file_id: str, **options: Unpack[RequestOptions]) -> RawResponse[File]:
        """`client.files.get`, with the answer."""
        return self._execute(raw(operations.files_get(file_id)), options)

    def delete(self, file_id: str, **options: Unpack[RequestOptions]) -> RawResponse[None]:
        """`client.files.delete`, with the answer."""
        return self._execute(raw(operations.files_delete(file_id)), options)

    def download(self, file_id: str, **options: Unpack[RequestOptions]) -> RawResponse[bytes]:
        """`client.files.download`, with the answer."""
        return self._execute(raw(operations.files_download(file_id)), options)


class AsyncRawFiles(Described):
    """`client.raw.files`. Uploads and the results of workflows."""

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
    ) -> RawResponse[Page[File]]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[File]]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[File]]: ...
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[Page[File] | CursorPage[File]]:
        """`client.files.list`, with the answer."""
        return await self._execute(
            raw(operations.files_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total)), options
        )

    async def upload(
        self, *, file: FileContent, name: str | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> RawResponse[File]:
        """`client.files.upload`, with the answer."""
        return await self._execute(raw(operations.files_upload(file=file, name=name)), options)

    async def get(self, file_id: str, **options: Unpack[RequestOptions]) -> RawResponse[File]:
        """`client.files.get`, with the answer."""
        return await self._execute(raw(operations.files_get(file_id)), options)

    async def delete(self, file_id: str, **options: Unpack[RequestOptions]) -> RawResponse[None]:
        """`client.files.delete`, with the answer."""
        return await self._execute(raw(operations.files_delete(file_id)), options)

    async def download(self, file_id: str, **options: Unpack[RequestOptions]) -> RawResponse[bytes]:
        """`client.files.download`, with the answer."""
        return await self._execute(raw(operations.files_download(file_id)), options)


class RawApiKeys(Described):
    """`client.raw.api_keys`. Long-lived credentials for scripts and services."""

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
    ) -> RawResponse[Page[ApiKey]]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[ApiKey]]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[ApiKey]]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[Page[ApiKey] | CursorPage[ApiKey]]:
        """`client.api_keys.list`, with the answer."""
        return self._execute(
            raw(operations.api_keys_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total)),
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
        mode: ApiKeyMode | Literal["live", "test"] | Unset = UNSET,
        expires_at: datetime.datetime | None | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[ApiKeyCreated]:
        """`client.api_keys.create`, with the answer."""
        return self._execute(
            raw(operations.api_keys_create(name=name, scopes=scopes, mode=mode, expires_at=expires_at)), options
        )

    def revoke(self, key_id: str, **options: Unpack[RequestOptions]) -> RawResponse[None]:
        """`client.api_keys.revoke`, with the answer."""
        return self._execute(raw(operations.api_keys_revoke(key_id)), options)


class AsyncRawApiKeys(Described):
    """`client.raw.api_keys`. Long-lived credentials for scripts and services."""

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
    ) -> RawResponse[Page[ApiKey]]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[ApiKey]]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[ApiKey]]: ...
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[Page[ApiKey] | CursorPage[ApiKey]]:
        """`client.api_keys.list`, with the answer."""
        return await self._execute(
            raw(operations.api_keys_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total)),
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
        mode: ApiKeyMode | Literal["live", "test"] | Unset = UNSET,
        expires_at: datetime.datetime | None | Unset = UNSET,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[ApiKeyCreated]:
        """`client.api_keys.create`, with the answer."""
        return await self._execute(
            raw(operations.api_keys_create(name=name, scopes=scopes, mode=mode, expires_at=expires_at)), options
        )

    async def revoke(self, key_id: str, **options: Unpack[RequestOptions]) -> RawResponse[None]:
        """`client.api_keys.revoke`, with the answer."""
        return await self._execute(raw(operations.api_keys_revoke(key_id)), options)


class RawApplications(Described):
    """`client.raw.applications`. OAuth 2.0 clients."""

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
    ) -> RawResponse[Page[Application]]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[Application]]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[Application]]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[Page[Application] | CursorPage[Application]]:
        """`client.applications.list`, with the answer."""
        return self._execute(
            raw(operations.applications_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total)),
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
    ) -> RawResponse[ApplicationCredentials]:
        """`client.applications.create`, with the answer."""
        return self._execute(
            raw(operations.applications_create(name=name, scopes=scopes, type=type, redirect_uris=redirect_uris)),
            options,
        )

    def delete(self, application_id: str, **options: Unpack[RequestOptions]) -> RawResponse[None]:
        """`client.applications.delete`, with the answer."""
        return self._execute(raw(operations.applications_delete(application_id)), options)

    def rotate_secret(
        self, application_id: str, **options: Unpack[RequestOptions]
    ) -> RawResponse[ApplicationCredentials]:
        """`client.applications.rotate_secret`, with the answer."""
        return self._execute(raw(operations.applications_rotate_secret(application_id)), options)


class AsyncRawApplications(Described):
    """`client.raw.applications`. OAuth 2.0 clients."""

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
    ) -> RawResponse[Page[Application]]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        cursor: str,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[Application]]: ...
    @overload
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: None = None,
        include_total: Literal[False],
        **options: Unpack[RequestOptions],
    ) -> RawResponse[CursorPage[Application]]: ...
    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        include_total: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[Page[Application] | CursorPage[Application]]:
        """`client.applications.list`, with the answer."""
        return await self._execute(
            raw(operations.applications_list(limit=limit, offset=offset, cursor=cursor, include_total=include_total)),
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
    ) -> RawResponse[ApplicationCredentials]:
        """`client.applications.create`, with the answer."""
        return await self._execute(
            raw(operations.applications_create(name=name, scopes=scopes, type=type, redirect_uris=redirect_uris)),
            options,
        )

    async def delete(self, application_id: str, **options: Unpack[RequestOptions]) -> RawResponse[None]:
        """`client.applications.delete`, with the answer."""
        return await self._execute(raw(operations.applications_delete(application_id)), options)

    async def rotate_secret(
        self, application_id: str, **options: Unpack[RequestOptions]
    ) -> RawResponse[ApplicationCredentials]:
        """`client.applications.rotate_secret`, with the answer."""
        return await self._execute(raw(operations.applications_rotate_secret(application_id)), options)


class RawAuth(Described):
    """`client.raw.auth`. OAuth 2.0 endpoints for programs."""

    __slots__ = ("_execute",)

    def __init__(self, execute: Call) -> None:
        self._execute = execute

    def revoke(
        self, *, token: str, token_type_hint: str | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> RawResponse[None]:
        """`client.auth.revoke`, with the answer."""
        return self._execute(raw(operations.auth_revoke(token=token, token_type_hint=token_type_hint)), options)

    def introspect(
        self, *, token: str, token_type_hint: str | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> RawResponse[Introspection]:
        """`client.auth.introspect`, with the answer."""
        return self._execute(raw(operations.auth_introspect(token=token, token_type_hint=token_type_hint)), options)

    def metadata(self, **options: Unpack[RequestOptions]) -> RawResponse[ServerMetadata]:
        """`client.auth.metadata`, with the answer."""
        return self._execute(raw(operations.auth_metadata()), options)

    def jwks(self, **options: Unpack[RequestOptions]) -> RawResponse[Jwks]:
        """`client.auth.jwks`, with the answer."""
        return self._execute(raw(operations.auth_jwks()), options)


class AsyncRawAuth(Described):
    """`client.raw.auth`. OAuth 2.0 endpoints for programs."""

    __slots__ = ("_execute",)

    def __init__(self, execute: AsyncCall) -> None:
        self._execute = execute

    async def revoke(
        self, *, token: str, token_type_hint: str | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> RawResponse[None]:
        """`client.auth.revoke`, with the answer."""
        return await self._execute(raw(operations.auth_revoke(token=token, token_type_hint=token_type_hint)), options)

    async def introspect(
        self, *, token: str, token_type_hint: str | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> RawResponse[Introspection]:
        """`client.auth.introspect`, with the answer."""
        return await self._execute(
            raw(operations.auth_introspect(token=token, token_type_hint=token_type_hint)), options
        )

    async def metadata(self, **options: Unpack[RequestOptions]) -> RawResponse[ServerMetadata]:
        """`client.auth.metadata`, with the answer."""
        return await self._execute(raw(operations.auth_metadata()), options)

    async def jwks(self, **options: Unpack[RequestOptions]) -> RawResponse[Jwks]:
        """`client.auth.jwks`, with the answer."""
        return await self._execute(raw(operations.auth_jwks()), options)


class Raw(Described):
    """`client.raw`: each resource, its methods giving their answers too."""

    def __init__(self, execute: Call) -> None:
        self._execute = execute

    @resource
    def users(self) -> RawUsers:
        """People of an organisation, and the one who is calling."""
        return RawUsers(self._execute)

    @resource
    def products(self) -> RawProducts:
        """The catalog."""
        return RawProducts(self._execute)

    @resource
    def workflows(self) -> RawWorkflows:
        """Long-running work, run by the background worker."""
        return RawWorkflows(self._execute)

    @resource
    def files(self) -> RawFiles:
        """Uploads and the results of workflows."""
        return RawFiles(self._execute)

    @resource
    def api_keys(self) -> RawApiKeys:
        """Long-lived credentials for scripts and services."""
        return RawApiKeys(self._execute)

    @resource
    def applications(self) -> RawApplications:
        """OAuth 2.0 clients."""
        return RawApplications(self._execute)

    @resource
    def auth(self) -> RawAuth:
        """OAuth 2.0 endpoints for programs."""
        return RawAuth(self._execute)


class AsyncRaw(Described):
    """`client.raw`: each resource, its methods giving their answers too."""

    def __init__(self, execute: AsyncCall) -> None:
        self._execute = execute

    @resource
    def users(self) -> AsyncRawUsers:
        """People of an organisation, and the one who is calling."""
        return AsyncRawUsers(self._execute)

    @resource
    def products(self) -> AsyncRawProducts:
        """The catalog."""
        return AsyncRawProducts(self._execute)

    @resource
    def workflows(self) -> AsyncRawWorkflows:
        """Long-running work, run by the background worker."""
        return AsyncRawWorkflows(self._execute)

    @resource
    def files(self) -> AsyncRawFiles:
        """Uploads and the results of workflows."""
        return AsyncRawFiles(self._execute)

    @resource
    def api_keys(self) -> AsyncRawApiKeys:
        """Long-lived credentials for scripts and services."""
        return AsyncRawApiKeys(self._execute)

    @resource
    def applications(self) -> AsyncRawApplications:
        """OAuth 2.0 clients."""
        return AsyncRawApplications(self._execute)

    @resource
    def auth(self) -> AsyncRawAuth:
        """OAuth 2.0 endpoints for programs."""
        return AsyncRawAuth(self._execute)
