"""Operations of the BlueRound API: each describes one call and makes none.

Generated from openapi/redcore.yaml; do not edit.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from redcore._base.operation import Operation
from redcore._base.values import UNSET, FileContent, Unset
from redcore._spec.models import (
    ApiKey,
    ApiKeyCreated,
    ApiKeyMode,
    Application,
    ApplicationCredentials,
    ApplicationType,
    CursorPage,
    DeviceAuthorization,
    File,
    Introspection,
    Jwks,
    Page,
    Product,
    ProductStatus,
    Scope,
    ServerMetadata,
    TokenResponse,
    User,
    UserRole,
    UserStatus,
    Workflow,
    WorkflowRun,
    WorkflowRunStatus,
)


def users_get_me() -> Operation[User]:
    """Describe `GET /v1/me`: fetch the calling user."""
    return Operation(name="users_get_me", method="GET", path="/me", model=User, shape="data", idempotent=True)


def users_update_me(*, name: str | Unset = UNSET) -> Operation[User]:
    """Describe `PATCH /v1/me`: change the calling user."""
    return Operation(
        name="users_update_me",
        method="PATCH",
        path="/me",
        model=User,
        shape="data",
        body={"name": name},
        idempotent=True,
    )


def users_list(
    *,
    limit: int | None = None,
    offset: int | None = None,
    cursor: str | None = None,
    include_total: bool | None = None,
    role: UserRole | Literal["admin", "editor", "viewer"] | None = None,
    status: UserStatus | Literal["active", "inactive", "pending_invite"] | None = None,
    q: str | None = None,
) -> Operation[Page[User] | CursorPage[User]]:
    """Describe `GET /v1/users`: list users."""
    return Operation(
        name="users_list",
        method="GET",
        path="/users",
        model=User,
        shape="page" if cursor is None and include_total is not False else "cursor_page",
        query={
            "limit": limit,
            "offset": offset,
            "cursor": cursor,
            "include_total": include_total,
            "role": role,
            "status": status,
            "q": q,
        },
        idempotent=True,
    )


def users_create(
    *, email: str, name: str, role: UserRole | Literal["admin", "editor", "viewer"] | Unset = UNSET
) -> Operation[User]:
    """Describe `POST /v1/users`: create a user."""
    return Operation(
        name="users_create",
        method="POST",
        path="/users",
        model=User,
        shape="data",
        body={"email": email, "name": name, "role": role},
        keyed=True,
    )


def users_get(user_id: str) -> Operation[User]:
    """Describe `GET /v1/users/{user_id}`: fetch a user."""
    return Operation(
        name="users_get",
        method="GET",
        path="/users/{user_id}",
        path_parameters={"user_id": user_id},
        model=User,
        shape="data",
        idempotent=True,
    )


def users_delete(user_id: str) -> Operation[None]:
    """Describe `DELETE /v1/users/{user_id}`: delete a user."""
    return Operation(
        name="users_delete",
        method="DELETE",
        path="/users/{user_id}",
        path_parameters={"user_id": user_id},
        shape="nothing",
        idempotent=True,
    )


def users_update(
    user_id: str,
    *,
    email: str | Unset = UNSET,
    name: str | Unset = UNSET,
    role: UserRole | Literal["admin", "editor", "viewer"] | Unset = UNSET,
    status: UserStatus | Literal["active", "inactive"] | Unset = UNSET,
) -> Operation[User]:
    """Describe `PATCH /v1/users/{user_id}`: change a user."""
    return Operation(
        name="users_update",
        method="PATCH",
        path="/users/{user_id}",
        path_parameters={"user_id": user_id},
        model=User,
        shape="data",
        body={"email": email, "name": name, "role": role, "status": status},
        idempotent=True,
    )


def users_resend_invitation(user_id: str) -> Operation[User]:
    """Describe `POST /v1/users/{user_id}/invitation`: send a user's invitation again."""
    return Operation(
        name="users_resend_invitation",
        method="POST",
        path="/users/{user_id}/invitation",
        path_parameters={"user_id": user_id},
        model=User,
        shape="data",
        keyed=True,
    )


def products_list(
    *,
    limit: int | None = None,
    offset: int | None = None,
    cursor: str | None = None,
    include_total: bool | None = None,
    status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | None = None,
    q: str | None = None,
) -> Operation[Page[Product] | CursorPage[Product]]:
    """Describe `GET /v1/products`: list products."""
    return Operation(
        name="products_list",
        method="GET",
        path="/products",
        model=Product,
        shape="page" if cursor is None and include_total is not False else "cursor_page",
        query={
            "limit": limit,
            "offset": offset,
            "cursor": cursor,
            "include_total": include_total,
            "status": status,
            "q": q,
        },
        idempotent=True,
    )


def products_create(
    *,
    name: str,
    sku: str,
    price: int,
    stock: int | Unset = UNSET,
    status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | Unset = UNSET,
) -> Operation[Product]:
    """Describe `POST /v1/products`: create a product."""
    return Operation(
        name="products_create",
        method="POST",
        path="/products",
        model=Product,
        shape="data",
        body={"name": name, "sku": sku, "price": price, "stock": stock, "status": status},
        keyed=True,
    )


def products_get(product_id: str) -> Operation[Product]:
    """Describe `GET /v1/products/{product_id}`: fetch a product."""
    return Operation(
        name="products_get",
        method="GET",
        path="/products/{product_id}",
        path_parameters={"product_id": product_id},
        model=Product,
        shape="data",
        idempotent=True,
    )


def products_delete(product_id: str) -> Operation[None]:
    """Describe `DELETE /v1/products/{product_id}`: delete a product."""
    return Operation(
        name="products_delete",
        method="DELETE",
        path="/products/{product_id}",
        path_parameters={"product_id": product_id},
        shape="nothing",
        idempotent=True,
    )


def products_update(
    product_id: str,
    *,
    name: str | Unset = UNSET,
    sku: str | Unset = UNSET,
    price: int | Unset = UNSET,
    stock: int | Unset = UNSET,
    status: ProductStatus | Literal["available", "out_of_stock", "discontinued"] | Unset = UNSET,
) -> Operation[Product]:
    """Describe `PATCH /v1/products/{product_id}`: change a product."""
    return Operation(
        name="products_update",
        method="PATCH",
        path="/products/{product_id}",
        path_parameters={"product_id": product_id},
        model=Product,
        shape="data",
        body={"name": name, "sku": sku, "price": price, "stock": stock, "status": status},
        idempotent=True,
    )


def workflows_list(
    *, limit: int | None = None, offset: int | None = None, cursor: str | None = None, include_total: bool | None = None
) -> Operation[Page[Workflow] | CursorPage[Workflow]]:
    """Describe `GET /v1/workflows`: list workflow definitions."""
    return Operation(
        name="workflows_list",
        method="GET",
        path="/workflows",
        model=Workflow,
        shape="page" if cursor is None and include_total is not False else "cursor_page",
        query={"limit": limit, "offset": offset, "cursor": cursor, "include_total": include_total},
        idempotent=True,
    )


def workflows_run(name: str, *, input: Mapping[str, Any] | Unset = UNSET) -> Operation[WorkflowRun]:
    """Describe `POST /v1/workflows/{name}/runs`: start a workflow run."""
    return Operation(
        name="workflows_run",
        method="POST",
        path="/workflows/{name}/runs",
        path_parameters={"name": name},
        model=WorkflowRun,
        shape="data",
        body={"input": input},
        keyed=True,
    )


def workflows_list_runs(
    *,
    limit: int | None = None,
    offset: int | None = None,
    cursor: str | None = None,
    include_total: bool | None = None,
    status: WorkflowRunStatus | Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
    workflow: str | None = None,
) -> Operation[Page[WorkflowRun] | CursorPage[WorkflowRun]]:
    """Describe `GET /v1/workflow-runs`: list workflow runs."""
    return Operation(
        name="workflows_list_runs",
        method="GET",
        path="/workflow-runs",
        model=WorkflowRun,
        shape="page" if cursor is None and include_total is not False else "cursor_page",
        query={
            "limit": limit,
            "offset": offset,
            "cursor": cursor,
            "include_total": include_total,
            "status": status,
            "workflow": workflow,
        },
        idempotent=True,
    )


def workflows_get_run(run_id: str) -> Operation[WorkflowRun]:
    """Describe `GET /v1/workflow-runs/{run_id}`: fetch a workflow run."""
    return Operation(
        name="workflows_get_run",
        method="GET",
        path="/workflow-runs/{run_id}",
        path_parameters={"run_id": run_id},
        model=WorkflowRun,
        shape="data",
        idempotent=True,
    )


def workflows_cancel_run(run_id: str) -> Operation[WorkflowRun]:
    """Describe `POST /v1/workflow-runs/{run_id}/cancel`: cancel a workflow run."""
    return Operation(
        name="workflows_cancel_run",
        method="POST",
        path="/workflow-runs/{run_id}/cancel",
        path_parameters={"run_id": run_id},
        model=WorkflowRun,
        shape="data",
        keyed=True,
    )


def files_list(
    *, limit: int | None = None, offset: int | None = None, cursor: str | None = None, include_total: bool | None = None
) -> Operation[Page[File] | CursorPage[File]]:
    """Describe `GET /v1/files`: list files."""
    return Operation(
        name="files_list",
        method="GET",
        path="/files",
        model=File,
        shape="page" if cursor is None and include_total is not False else "cursor_page",
        query={"limit": limit, "offset": offset, "cursor": cursor, "include_total": include_total},
        idempotent=True,
    )


def files_upload(*, file: FileContent, name: str | Unset = UNSET) -> Operation[File]:
    """Describe `POST /v1/files`: upload a file."""
    return Operation(
        name="files_upload",
        method="POST",
        path="/files",
        model=File,
        shape="data",
        body={"file": file, "name": name},
        media="multipart/form-data",
        keyed=True,
    )


def files_get(file_id: str) -> Operation[File]:
    """Describe `GET /v1/files/{file_id}`: fetch a file's description."""
    return Operation(
        name="files_get",
        method="GET",
        path="/files/{file_id}",
        path_parameters={"file_id": file_id},
        model=File,
        shape="data",
        idempotent=True,
    )


def files_delete(file_id: str) -> Operation[None]:
    """Describe `DELETE /v1/files/{file_id}`: delete a file."""
    return Operation(
        name="files_delete",
        method="DELETE",
        path="/files/{file_id}",
        path_parameters={"file_id": file_id},
        shape="nothing",
        idempotent=True,
    )


def files_download(file_id: str) -> Operation[bytes]:
    """Describe `GET /v1/files/{file_id}/content`: download a file."""
    return Operation(
        name="files_download",
        method="GET",
        path="/files/{file_id}/content",
        path_parameters={"file_id": file_id},
        shape="bytes",
        idempotent=True,
    )


def api_keys_list(
    *, limit: int | None = None, offset: int | None = None, cursor: str | None = None, include_total: bool | None = None
) -> Operation[Page[ApiKey] | CursorPage[ApiKey]]:
    """Describe `GET /v1/api-keys`: list API keys."""
    return Operation(
        name="api_keys_list",
        method="GET",
        path="/api-keys",
        model=ApiKey,
        shape="page" if cursor is None and include_total is not False else "cursor_page",
        query={"limit": limit, "offset": offset, "cursor": cursor, "include_total": include_total},
        idempotent=True,
    )


def api_keys_create(
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
) -> Operation[ApiKeyCreated]:
    """Describe `POST /v1/api-keys`: create an API key."""
    return Operation(
        name="api_keys_create",
        method="POST",
        path="/api-keys",
        model=ApiKeyCreated,
        shape="data",
        body={"name": name, "scopes": scopes, "mode": mode, "expires_at": expires_at},
        keyed=True,
    )


def api_keys_revoke(key_id: str) -> Operation[None]:
    """Describe `DELETE /v1/api-keys/{key_id}`: revoke an API key."""
    return Operation(
        name="api_keys_revoke",
        method="DELETE",
        path="/api-keys/{key_id}",
        path_parameters={"key_id": key_id},
        shape="nothing",
        idempotent=True,
    )


def applications_list(
    *, limit: int | None = None, offset: int | None = None, cursor: str | None = None, include_total: bool | None = None
) -> Operation[Page[Application] | CursorPage[Application]]:
    """Describe `GET /v1/applications`: list applications."""
    return Operation(
        name="applications_list",
        method="GET",
        path="/applications",
        model=Application,
        shape="page" if cursor is None and include_total is not False else "cursor_page",
        query={"limit": limit, "offset": offset, "cursor": cursor, "include_total": include_total},
        idempotent=True,
    )


def applications_create(
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
) -> Operation[ApplicationCredentials]:
    """Describe `POST /v1/applications`: register an application."""
    return Operation(
        name="applications_create",
        method="POST",
        path="/applications",
        model=ApplicationCredentials,
        shape="data",
        body={"name": name, "scopes": scopes, "type": type, "redirect_uris": redirect_uris},
        keyed=True,
    )


def applications_delete(application_id: str) -> Operation[None]:
    """Describe `DELETE /v1/applications/{application_id}`: delete an application."""
    return Operation(
        name="applications_delete",
        method="DELETE",
        path="/applications/{application_id}",
        path_parameters={"application_id": application_id},
        shape="nothing",
        idempotent=True,
    )


def applications_rotate_secret(application_id: str) -> Operation[ApplicationCredentials]:
    """Describe `POST /v1/applications/{application_id}/secret`: give an application a new secret."""
    return Operation(
        name="applications_rotate_secret",
        method="POST",
        path="/applications/{application_id}/secret",
        path_parameters={"application_id": application_id},
        model=ApplicationCredentials,
        shape="data",
        keyed=True,
    )


def auth_token(
    *,
    grant_type: str,
    scope: str | Unset = UNSET,
    refresh_token: str | Unset = UNSET,
    code: str | Unset = UNSET,
    redirect_uri: str | Unset = UNSET,
    code_verifier: str | Unset = UNSET,
    device_code: str | Unset = UNSET,
    assertion: str | Unset = UNSET,
) -> Operation[TokenResponse]:
    """Describe `POST /oauth/token`: exchange a grant for tokens."""
    return Operation(
        name="auth_token",
        method="POST",
        path="/oauth/token",
        model=TokenResponse,
        shape="plain",
        body={
            "grant_type": grant_type,
            "scope": scope,
            "refresh_token": refresh_token,
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
            "device_code": device_code,
            "assertion": assertion,
        },
        media="application/x-www-form-urlencoded",
        auth="client",
        idempotent=True,
    )


def auth_revoke(*, token: str, token_type_hint: str | Unset = UNSET) -> Operation[None]:
    """Describe `POST /oauth/revoke`: revoke a token."""
    return Operation(
        name="auth_revoke",
        method="POST",
        path="/oauth/revoke",
        shape="nothing",
        body={"token": token, "token_type_hint": token_type_hint},
        media="application/x-www-form-urlencoded",
        auth="client",
        idempotent=True,
    )


def auth_introspect(*, token: str, token_type_hint: str | Unset = UNSET) -> Operation[Introspection]:
    """Describe `POST /oauth/introspect`: look a token up."""
    return Operation(
        name="auth_introspect",
        method="POST",
        path="/oauth/introspect",
        model=Introspection,
        shape="plain",
        body={"token": token, "token_type_hint": token_type_hint},
        media="application/x-www-form-urlencoded",
        auth="client",
        idempotent=True,
    )


def auth_device_authorization(*, scope: str | Unset = UNSET) -> Operation[DeviceAuthorization]:
    """Describe `POST /oauth/device_authorization`: start a device login."""
    return Operation(
        name="auth_device_authorization",
        method="POST",
        path="/oauth/device_authorization",
        model=DeviceAuthorization,
        shape="plain",
        body={"scope": scope},
        media="application/x-www-form-urlencoded",
        auth="client",
        idempotent=True,
    )


def auth_metadata() -> Operation[ServerMetadata]:
    """Describe `GET /.well-known/oauth-authorization-server`: fetch the authorization server's metadata."""
    return Operation(
        name="auth_metadata",
        method="GET",
        path="/.well-known/oauth-authorization-server",
        model=ServerMetadata,
        shape="plain",
        auth="none",
        idempotent=True,
    )


def auth_jwks() -> Operation[Jwks]:
    """Describe `GET /.well-known/jwks.json`: fetch the keys that sign access tokens."""
    return Operation(
        name="auth_jwks",
        method="GET",
        path="/.well-known/jwks.json",
        model=Jwks,
        shape="plain",
        auth="none",
        idempotent=True,
    )
