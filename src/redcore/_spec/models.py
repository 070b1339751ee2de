"""Models of the BlueRound API. Generated from openapi/redcore.yaml; do not edit."""

import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

import attrs

from redcore._base.public import public
from redcore._base.values import (
    MappingModel,
    Model,
    NamedModel,
    OpenEnum,
    OptionalTimestamp,
    PageOf,
    Timestamp,
    listed,
    moment,
    strings,
)

__all__ = (
    "ERROR_STATUS",
    "ApiKey",
    "ApiKeyCreated",
    "ApiKeyMode",
    "Application",
    "ApplicationCredentials",
    "ApplicationType",
    "CursorMeta",
    "CursorPage",
    "DeviceAuthorization",
    "Error",
    "ErrorCode",
    "ErrorDetail",
    "File",
    "Introspection",
    "Jwk",
    "Jwks",
    "ListMeta",
    "Meta",
    "OAuthError",
    "Page",
    "Product",
    "ProductStatus",
    "Scope",
    "ServerMetadata",
    "TokenResponse",
    "User",
    "UserRole",
    "UserStatus",
    "Workflow",
    "WorkflowRun",
    "WorkflowRunError",
    "WorkflowRunStatus",
)

T = TypeVar("T")

ERROR_STATUS: Mapping[str, int] = {
    "VALIDATION_ERROR": 400,
    "INVALID_TOKEN": 401,
    "TOKEN_EXPIRED": 401,
    "INSUFFICIENT_SCOPE": 403,
    "RESOURCE_NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "REQUEST_TIMEOUT": 408,
    "DUPLICATE_RESOURCE": 409,
    "REQUEST_IN_PROGRESS": 409,
    "PRECONDITION_FAILED": 412,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "RANGE_NOT_SATISFIABLE": 416,
    "BUSINESS_RULE_VIOLATION": 422,
    "IDEMPOTENCY_KEY_REUSED": 422,
    "RATE_LIMIT_EXCEEDED": 429,
    "REQUEST_HEADER_FIELDS_TOO_LARGE": 431,
    "INTERNAL_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "SERVICE_UNAVAILABLE": 503,
}
"""Every error code of the contract, with its HTTP status."""


@public
class ApiKeyMode(OpenEnum):
    """Whether a key works on real or on test data."""

    LIVE = "live"
    TEST = "test"


@public
class ApplicationType(OpenEnum):
    """Whether an application can keep a secret (RFC 6749 section 2.1)."""

    CONFIDENTIAL = "confidential"
    PUBLIC = "public"


@public
class ErrorCode(OpenEnum):
    """What went wrong, for programs."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    INVALID_TOKEN = "INVALID_TOKEN"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"
    INSUFFICIENT_SCOPE = "INSUFFICIENT_SCOPE"
    RESOURCE_NOT_FOUND = "RESOURCE_NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    DUPLICATE_RESOURCE = "DUPLICATE_RESOURCE"
    REQUEST_IN_PROGRESS = "REQUEST_IN_PROGRESS"
    PRECONDITION_FAILED = "PRECONDITION_FAILED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    RANGE_NOT_SATISFIABLE = "RANGE_NOT_SATISFIABLE"
    BUSINESS_RULE_VIOLATION = "BUSINESS_RULE_VIOLATION"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    REQUEST_HEADER_FIELDS_TOO_LARGE = "REQUEST_HEADER_FIELDS_TOO_LARGE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"


@public
class ProductStatus(OpenEnum):
    """Whether a product can be bought."""

    AVAILABLE = "available"
    OUT_OF_STOCK = "out_of_stock"
    DISCONTINUED = "discontinued"


@public
class Scope(OpenEnum):
    """A permission."""

    PROFILE_READ = "profile:read"
    PROFILE_WRITE = "profile:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    PRODUCTS_READ = "products:read"
    PRODUCTS_WRITE = "products:write"
    WORKFLOWS_READ = "workflows:read"
    WORKFLOWS_WRITE = "workflows:write"
    FILES_READ = "files:read"
    FILES_WRITE = "files:write"
    ADMIN = "admin"


@public
class UserRole(OpenEnum):
    """What a user may do."""

    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"


@public
class UserStatus(OpenEnum):
    """Where a user stands."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    PENDING_INVITE = "pending_invite"


@public
class WorkflowRunStatus(OpenEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


def _scopes(values: Iterable[Scope | str]) -> tuple[Scope, ...]:
    return tuple(map(Scope, listed(values)))


@public
@attrs.frozen(kw_only=True)
class ApiKey(MappingModel):
    """What is known of an API key, without the key."""

    id: str
    """`key_…`."""
    name: str
    """What it is for."""
    mode: ApiKeyMode = attrs.field(converter=ApiKeyMode)
    """Whether a key works on real or on test data."""
    hint: str
    """The last four characters of the key."""
    scopes: tuple[Scope, ...] = attrs.field(converter=_scopes)
    """What the key may do."""
    created_at: Timestamp = attrs.field(converter=moment)
    """When the key was created."""
    expires_at: OptionalTimestamp = attrs.field(converter=attrs.converters.optional(moment))
    """When the key ends; null if never."""


@public
@attrs.frozen(kw_only=True)
class ApiKeyCreated(MappingModel):
    """A new API key, with the key itself."""

    id: str
    """`key_…`."""
    name: str
    """What it is for."""
    mode: ApiKeyMode = attrs.field(converter=ApiKeyMode)
    """Whether a key works on real or on test data."""
    hint: str
    """The last four characters of the key."""
    scopes: tuple[Scope, ...] = attrs.field(converter=_scopes)
    """What the key may do."""
    created_at: Timestamp = attrs.field(converter=moment)
    """When the key was created."""
    expires_at: OptionalTimestamp = attrs.field(converter=attrs.converters.optional(moment))
    """When the key ends; null if never."""
    key: str = attrs.field(repr=False)
    """The key, `rk_live_…` or `rk_test_…`; shown only here."""


@public
@attrs.frozen(kw_only=True)
class Application(MappingModel):
    """An OAuth client."""

    id: str
    """`app_…`; also the OAuth `client_id`."""
    name: str
    """Name that the consent page shows."""
    type: ApplicationType = attrs.field(converter=ApplicationType)
    """Whether an application can keep a secret (RFC 6749 section 2.1)."""
    scopes: tuple[Scope, ...] = attrs.field(converter=_scopes)
    """What it may ask for."""
    redirect_uris: tuple[str, ...] = attrs.field(converter=strings)
    """Where it may send people back to."""
    created_at: Timestamp = attrs.field(converter=moment)
    """When it was registered."""


@public
@attrs.frozen(kw_only=True)
class ApplicationCredentials(MappingModel):
    """An OAuth client, with its secret."""

    id: str
    """`app_…`; also the OAuth `client_id`."""
    name: str
    """Name that the consent page shows."""
    type: ApplicationType = attrs.field(converter=ApplicationType)
    """Whether an application can keep a secret (RFC 6749 section 2.1)."""
    scopes: tuple[Scope, ...] = attrs.field(converter=_scopes)
    """What it may ask for."""
    redirect_uris: tuple[str, ...] = attrs.field(converter=strings)
    """Where it may send people back to."""
    created_at: Timestamp = attrs.field(converter=moment)
    """When it was registered."""
    client_secret: str | None = attrs.field(repr=False)
    """The secret; shown only here; null for a public client."""


@public
@attrs.frozen(kw_only=True)
class CursorMeta(MappingModel):
    """About a page that was reached by a cursor."""

    request_id: str
    """The request's id with its prefix, `req_…`."""
    version: str
    """Version of the platform's contract."""
    limit: int
    """Items a page."""
    next_cursor: str | None
    """Leads to the page behind this one; null on the last page."""
    total: int | None = None
    """Items in the whole listing; only if it was asked for."""
    offset: int | None = None
    """Items before this page; only if the total was asked for."""


@attrs.frozen(kw_only=True)
class DeviceAuthorization(MappingModel):
    """The codes of a device login (RFC 8628 section 3.2)."""

    device_code: str = attrs.field(repr=False)
    """What the device polls with."""
    user_code: str
    """What the person types."""
    verification_uri: str
    """Where the person types it."""
    expires_in: int
    """Seconds until the codes end."""
    interval: int
    """Seconds between two polls."""
    verification_uri_complete: str | None = None
    """The same, with the code filled in."""


@public
@attrs.frozen(kw_only=True)
class ErrorDetail(MappingModel):
    """One thing that is wrong with a request."""

    field: str
    """Where: a dotted path into the body, or the name of a parameter."""
    issue: str
    """What, for people."""


def _error_details(values: Iterable[ErrorDetail]) -> tuple[ErrorDetail, ...]:
    return listed(values)


@public
@attrs.frozen(kw_only=True)
class File(MappingModel):
    """A stored file."""

    id: str
    """`file_…`."""
    name: str
    """Name it was uploaded under."""
    content_type: str
    """Media type."""
    size: int
    """Size in bytes."""
    sha256: str
    """Checksum of the bytes, in hexadecimal."""
    created_at: Timestamp = attrs.field(converter=moment)
    """When the file was stored."""


@public
@attrs.frozen(kw_only=True)
class Introspection(MappingModel):
    """What is known of a token (RFC 7662 section 2.2)."""

    active: bool
    """Whether the token works now."""
    scope: str | None = None
    """Scopes, separated by spaces."""
    client_id: str | None = None
    """The application it was given to."""
    username: str | None = None
    """E-mail of the user behind it."""
    token_type: str | None = None
    """`Bearer`, or `refresh_token`."""
    exp: int | None = None
    """When it ends, in Unix seconds."""
    iat: int | None = None
    """When it was made, in Unix seconds."""
    sub: str | None = None
    """Whom it speaks for."""
    aud: str | None = None
    """Which API it is for."""
    iss: str | None = None
    """Who made it."""
    jti: str | None = None
    """Its own id."""


@public
@attrs.frozen(kw_only=True)
class Jwk(MappingModel):
    """A public RSA key (RFC 7517 section 4, RFC 7518 section 6.3)."""

    kty: str
    """Always `RSA`."""
    kid: str
    """Id of the key."""
    n: str
    """Modulus, base64url."""
    e: str
    """Exponent, base64url."""
    use: str | None = None
    """Always `sig`."""
    alg: str | None = None
    """Always `RS256`."""


def _jwks(values: Iterable[Jwk]) -> tuple[Jwk, ...]:
    return listed(values)


@public
@attrs.frozen(kw_only=True)
class ListMeta(MappingModel):
    """About a page."""

    request_id: str
    """The request's id with its prefix, `req_…`."""
    version: str
    """Version of the platform's contract."""
    total: int
    """Items in the whole listing."""
    limit: int
    """Items a page."""
    offset: int
    """Items skipped."""
    next_cursor: str | None = None
    """Leads to the page behind this one; null on the last page."""


@attrs.frozen(kw_only=True)
class Meta(MappingModel):
    """About an answer."""

    request_id: str
    """The request's id with its prefix, `req_…`."""
    version: str
    """Version of the platform's contract."""


@attrs.frozen(kw_only=True)
class OAuthError(MappingModel):
    """Why an OAuth request was refused (RFC 6749 section 5.2)."""

    error: str
    """The RFC's code, such as `invalid_grant`."""
    error_description: str | None = None
    """What went wrong, for people."""
    error_uri: str | None = None
    """Where the code is explained."""


@public
@attrs.frozen(kw_only=True)
class Product(MappingModel):
    """An item of the catalog."""

    id: str
    """`prod_…`."""
    name: str
    """Name for people."""
    sku: str
    """Stock keeping unit; unique in the catalog."""
    price: int
    """Price in minor units (cents)."""
    stock: int
    """Pieces in stock."""
    status: ProductStatus = attrs.field(converter=ProductStatus)
    """Whether a product can be bought."""
    created_at: Timestamp = attrs.field(converter=moment)
    """When the product was created."""
    updated_at: Timestamp = attrs.field(converter=moment)
    """When the product was last changed."""


@public
@attrs.frozen(kw_only=True)
class ServerMetadata(MappingModel):
    """What an authorization server can do (RFC 8414 section 2)."""

    issuer: str
    """The server's name in tokens."""
    token_endpoint: str
    """Where grants become tokens."""
    jwks_uri: str
    """Where the signing keys are."""
    authorization_endpoint: str | None = None
    """Where people sign in."""
    revocation_endpoint: str | None = None
    """Where tokens are revoked."""
    introspection_endpoint: str | None = None
    """Where tokens are looked up."""
    device_authorization_endpoint: str | None = None
    """Where device logins start."""
    scopes_supported: tuple[str, ...] | None = attrs.field(default=None, converter=attrs.converters.optional(strings))
    """All scopes."""
    response_types_supported: tuple[str, ...] | None = attrs.field(
        default=None, converter=attrs.converters.optional(strings)
    )
    """Always `code`."""
    grant_types_supported: tuple[str, ...] | None = attrs.field(
        default=None, converter=attrs.converters.optional(strings)
    )
    """Grants."""
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = attrs.field(
        default=None, converter=attrs.converters.optional(strings)
    )
    """How clients authenticate."""
    code_challenge_methods_supported: tuple[str, ...] | None = attrs.field(
        default=None, converter=attrs.converters.optional(strings)
    )
    """Always `S256`."""


@attrs.frozen(kw_only=True)
class TokenResponse(MappingModel):
    """A token pair (RFC 6749 section 5.1)."""

    access_token: str = attrs.field(repr=False)
    """The access token, a JWT (RFC 9068)."""
    token_type: str
    """Always `Bearer`."""
    expires_in: int
    """Seconds until the access token ends."""
    refresh_token: str | None = attrs.field(default=None, repr=False)
    """The refresh token, opaque; works once."""
    scope: str | None = None
    """Scopes granted, separated by spaces."""


@public
@attrs.frozen(kw_only=True)
class User(MappingModel):
    """A person of an organisation."""

    id: str
    """`usr_…`."""
    email: str
    """Unique in the organisation, in any case and any Unicode form."""
    name: str
    """Full name."""
    role: UserRole = attrs.field(converter=UserRole)
    """What a user may do."""
    status: UserStatus = attrs.field(converter=UserStatus)
    """Where a user stands."""
    invitation_sent_at: OptionalTimestamp = attrs.field(converter=attrs.converters.optional(moment))
    """When the last invitation was handed to the mail provider; null before the first."""
    created_at: Timestamp = attrs.field(converter=moment)
    """When the user was created."""
    updated_at: Timestamp = attrs.field(converter=moment)
    """When the user was last changed."""


@public
@attrs.frozen(kw_only=True)
class Workflow(MappingModel):
    """A kind of work that can be run."""

    name: str
    """What to call it by, such as `catalog_export`."""
    description: str
    """What it does, for people."""
    input_schema: Mapping[str, Any] = attrs.field(hash=False)
    """JSON Schema of the input."""


@attrs.frozen(kw_only=True)
class Error(MappingModel):
    """Why a request was refused."""

    code: ErrorCode = attrs.field(converter=ErrorCode)
    """What went wrong, for programs."""
    message: str
    """What went wrong, for people."""
    docs: str
    """Where the code is explained."""
    details: tuple[ErrorDetail, ...] = attrs.field(converter=_error_details)
    """Every problem of the request; filled for `VALIDATION_ERROR` only."""


@public
@attrs.frozen(kw_only=True)
class WorkflowRunError(MappingModel):
    """Why a run failed."""

    message: str
    """What went wrong, for people."""
    details: tuple[ErrorDetail, ...] | None = attrs.field(
        default=None, converter=attrs.converters.optional(_error_details)
    )
    """Problems of single rows."""


@public
@attrs.frozen(kw_only=True)
class Jwks(NamedModel):
    """A key set (RFC 7517 section 5)."""

    keys: tuple[Jwk, ...] = attrs.field(converter=_jwks)
    """The keys."""


@public
@attrs.frozen(kw_only=True)
class WorkflowRun(MappingModel):
    """One run of a workflow."""

    id: str
    """`wfr_…`."""
    workflow: str
    """Name of the workflow."""
    status: WorkflowRunStatus = attrs.field(converter=WorkflowRunStatus)
    """Where a run stands."""
    progress: float
    """How much is done, from 0 to 1."""
    input: Mapping[str, Any] = attrs.field(hash=False)
    """What the run was given."""
    result: Mapping[str, Any] | None = attrs.field(hash=False)
    """What the run made, such as `{"file_id"}`; null before it has succeeded."""
    error: WorkflowRunError | None
    """Why the run failed; null unless it has."""
    created_at: Timestamp = attrs.field(converter=moment)
    """When the run was queued."""
    started_at: OptionalTimestamp = attrs.field(converter=attrs.converters.optional(moment))
    """When the worker took it; null before."""
    finished_at: OptionalTimestamp = attrs.field(converter=attrs.converters.optional(moment))
    """When it ended; null before."""


@public
@attrs.frozen(kw_only=True)
class Page(Model, Sequence[T], Generic[T]):
    """One page of a listing; iterating it gives its items.

    It is a sequence of its items, and also answers `page["data"]` and `page["meta"]`, for code that treats an answer
    as a mapping.
    """

    data: tuple[T, ...] = attrs.field(converter=listed)
    """The items."""
    meta: ListMeta
    """Where the page stands in the listing."""

    if not TYPE_CHECKING:

        def __class_getitem__(cls, item: Any) -> PageOf:
            return PageOf(cls, item)

    def __iter__(self) -> Iterator[T]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        last = self.meta.offset + len(self)
        return f"<Page: items {min(self.meta.offset + 1, last)} to {last} of {self.meta.total}: {reprlib.repr(list(self))}>"

    @overload
    def __getitem__(self, key: int, /) -> T: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[T, ...]: ...
    @overload
    def __getitem__(self, key: Literal["data"], /) -> tuple[T, ...]: ...
    @overload
    def __getitem__(self, key: Literal["meta"], /) -> ListMeta: ...
    def __getitem__(self, key: int | slice | Literal["data", "meta"], /) -> T | tuple[T, ...] | ListMeta:
        if not isinstance(key, str):
            return self.data[key]
        if key == "data":
            return self.data
        if key == "meta":
            return self.meta
        raise KeyError(key)


@public
@attrs.frozen(kw_only=True)
class CursorPage(Model, Sequence[T], Generic[T]):
    """One page of a listing, not counted unless it was asked for; iterating it gives its items.

    It is a sequence of its items, and also answers `page["data"]` and `page["meta"]`, for code that treats an answer
    as a mapping.
    """

    data: tuple[T, ...] = attrs.field(converter=listed)
    """The items."""
    meta: CursorMeta
    """Where the page stands in the listing."""

    if not TYPE_CHECKING:

        def __class_getitem__(cls, item: Any) -> PageOf:
            return PageOf(cls, item)

    def __iter__(self) -> Iterator[T]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        return f"<CursorPage: {len(self)} items: {reprlib.repr(list(self))}>"

    @overload
    def __getitem__(self, key: int, /) -> T: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[T, ...]: ...
    @overload
    def __getitem__(self, key: Literal["data"], /) -> tuple[T, ...]: ...
    @overload
    def __getitem__(self, key: Literal["meta"], /) -> CursorMeta: ...
    def __getitem__(self, key: int | slice | Literal["data", "meta"], /) -> T | tuple[T, ...] | CursorMeta:
        if not isinstance(key, str):
            return self.data[key]
        if key == "data":
            return self.data
        if key == "meta":
            return self.meta
        raise KeyError(key)
