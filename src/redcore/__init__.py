"""RedCore, the Python SDK of the BlueRound platform.

from redcore import Client

with Client(api_key="rk_live_…") as client:
    me = client.users.get_me()

Importing it loads nothing yet: each public name is loaded when it is first asked for (PEP 562), so that a program that
may never make a call does not wait for what calls need.
"""

from typing import TYPE_CHECKING

from redcore._base.version import __version__ as __version__

if TYPE_CHECKING:  # the public names, for type checkers and editors
    from redcore._base.response import Headers, Response
    from redcore._base.values import UNSET, AsyncFileContent, FileContent, Model, OpenEnum, Unset
    from redcore._spec.models import (
        ApiKey,
        ApiKeyCreated,
        ApiKeyMode,
        Application,
        ApplicationCredentials,
        ApplicationType,
        ErrorCode,
        ErrorDetail,
        File,
        Introspection,
        Jwk,
        Jwks,
        ListMeta,
        Page,
        Product,
        ProductStatus,
        Scope,
        ServerMetadata,
        User,
        UserRole,
        UserStatus,
        UserUpdateStatus,
        Workflow,
        WorkflowRun,
        WorkflowRunError,
        WorkflowRunStatus,
    )
    from redcore._wire.progress import Progress
    from redcore._wire.rate_limit import RateLimit
    from redcore._wire.raw_response import RawResponse
    from redcore.client import AsyncClient, Client
    from redcore.exceptions import (
        ArgumentError,
        AuthenticationError,
        ChecksumError,
        ConfigurationError,
        ConflictError,
        DuplicateError,
        FailedAttempt,
        FileChangedError,
        LoginTimeoutError,
        NetworkError,
        NotFoundError,
        PermissionError,  # noqa: A004 (the contract's name)
        RateLimitError,
        RedcoreAPIError,
        RedcoreError,
        RequestTimeoutError,
        ResponseError,
        ServerError,
        TokenCacheError,
        ValidationError,
        WaitTimeoutError,
    )
    from redcore.hooks import AsyncHooks, Attempt, AttemptResult, Hooks
    from redcore.options import RequestOptions, Retry
    from redcore.pagination import AsyncItemIterator, AsyncPageIterator, AsyncPages, ItemIterator, PageIterator, Pages
    from redcore.tokens import MemoryCache, TokenCache, TokenSet
else:
    from importlib import import_module

    _MODELS = "redcore._spec.models"
    # Where those of the public names are that are no models. A test compares this with what checkers are told above.
    _NAMES = {
        "redcore._base.response": ("Headers", "Response"),
        "redcore._wire.progress": ("Progress",),
        "redcore._base.values": ("UNSET", "AsyncFileContent", "FileContent", "Model", "OpenEnum", "Unset"),
        "redcore.client": ("AsyncClient", "Client"),
        "redcore.exceptions": (
            "ArgumentError",
            "AuthenticationError",
            "ChecksumError",
            "ConfigurationError",
            "ConflictError",
            "DuplicateError",
            "FailedAttempt",
            "FileChangedError",
            "LoginTimeoutError",
            "NetworkError",
            "NotFoundError",
            "PermissionError",
            "RateLimitError",
            "RedcoreAPIError",
            "RedcoreError",
            "RequestTimeoutError",
            "ResponseError",
            "ServerError",
            "TokenCacheError",
            "ValidationError",
            "WaitTimeoutError",
        ),
        "redcore.hooks": ("AsyncHooks", "Attempt", "AttemptResult", "Hooks"),
        "redcore._wire.rate_limit": ("RateLimit",),
        "redcore.options": ("RequestOptions", "Retry"),
        "redcore.pagination": (
            "AsyncItemIterator",
            "AsyncPageIterator",
            "AsyncPages",
            "ItemIterator",
            "PageIterator",
            "Pages",
        ),
        "redcore._wire.raw_response": ("RawResponse",),
        "redcore.tokens": ("MemoryCache", "TokenCache", "TokenSet"),
    }
    _HOMES = {name: module for module, names in _NAMES.items() for name in names}

    def __getattr__(name: str) -> object:
        """Load a public name, or one of the modules that `import redcore` alone has always sufficed for."""
        if name in {"exceptions", "tokens"}:
            return import_module(f"redcore.{name}")
        if name not in __all__:
            raise AttributeError(f"module 'redcore' has no attribute {name!r}", name=name)
        value = globals()[name] = getattr(import_module(_HOMES.get(name, _MODELS)), name)
        return value

    def __dir__() -> list[str]:
        """All names, also those that are not loaded yet."""
        return sorted({*globals(), *__all__})


__all__ = [
    "UNSET",
    "ApiKey",
    "ApiKeyCreated",
    "ApiKeyMode",
    "Application",
    "ApplicationCredentials",
    "ApplicationType",
    "ArgumentError",
    "AsyncClient",
    "AsyncFileContent",
    "AsyncHooks",
    "AsyncItemIterator",
    "AsyncPageIterator",
    "AsyncPages",
    "Attempt",
    "AttemptResult",
    "AuthenticationError",
    "ChecksumError",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "DuplicateError",
    "ErrorCode",
    "ErrorDetail",
    "FailedAttempt",
    "File",
    "FileChangedError",
    "FileContent",
    "Headers",
    "Hooks",
    "Introspection",
    "ItemIterator",
    "Jwk",
    "Jwks",
    "ListMeta",
    "LoginTimeoutError",
    "MemoryCache",
    "Model",
    "NetworkError",
    "NotFoundError",
    "OpenEnum",
    "Page",
    "PageIterator",
    "Pages",
    "PermissionError",
    "Product",
    "ProductStatus",
    "Progress",
    "RateLimit",
    "RateLimitError",
    "RawResponse",
    "RedcoreAPIError",
    "RedcoreError",
    "RequestOptions",
    "RequestTimeoutError",
    "Response",
    "ResponseError",
    "Retry",
    "Scope",
    "ServerError",
    "ServerMetadata",
    "TokenCache",
    "TokenCacheError",
    "TokenSet",
    "Unset",
    "User",
    "UserRole",
    "UserStatus",
    "UserUpdateStatus",
    "ValidationError",
    "WaitTimeoutError",
    "Workflow",
    "WorkflowRun",
    "WorkflowRunError",
    "WorkflowRunStatus",
]
