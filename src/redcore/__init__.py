"""RedCore, the Python SDK of the BlueRound platform.

from redcore import Client

with Client(api_key="rk_live_…") as client:
    me = client.users.get_me()

Importing it loads nothing yet: each public name is loaded when it is first asked for (PEP 562), so that a program that
may never make a call does not wait for what calls need.
"""

from typing import TYPE_CHECKING

from redcore._base.version import __version__ as __version__

if TYPE_CHECKING:  # the table of public names; openapi/generate.py renders `__all__` from it
    from redcore._base.response import Headers, Response
    from redcore._base.values import UNSET, AsyncFileContent, FileContent, Model, OpenEnum, Unset
    from redcore._resources.files import AsyncStreamedFile, StreamedFile
    from redcore._spec.models import (
        ApiKey,
        ApiKeyCreated,
        ApiKeyMode,
        Application,
        ApplicationCredentials,
        ApplicationType,
        CursorMeta,
        CursorPage,
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
        Workflow,
        WorkflowRun,
        WorkflowRunError,
        WorkflowRunStatus,
    )
    from redcore._wire.cattrs_converter import converter
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
        ReferenceServerError,
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
    import sys
    from importlib import import_module

    # Where they are, the lowest floor first: what a module loads comes before it, so that looking costs nothing more.
    _MODULES = (
        "_base.values",
        "_base.response",
        "_spec.models",
        "exceptions",
        "_wire.progress",
        "_wire.rate_limit",
        "_wire.raw_response",
        "tokens",
        "hooks",
        "options",
        "pagination",
        "_resources.files",
        "client",
        "_wire.cattrs_converter",
    )

    _PUBLIC = ("exceptions", "hooks", "login", "options", "pagination", "testing", "tokens")

    def __getattr__(name: str) -> object:
        """Load a public name or module."""
        if name in _PUBLIC:
            return import_module(f"redcore.{name}")
        for module in _MODULES if name in __all__ else ():
            if hasattr(found := import_module(f"redcore.{module}"), name):
                value = globals()[name] = getattr(found, name)
                return value
        raise AttributeError(f"module 'redcore' has no attribute {name!r}", name=name)

    def __dir__() -> list[str]:
        """All names, also those that are not loaded yet."""
        return sorted({*globals(), *__all__, *_PUBLIC})

    class _OldNames:
        """Finds modules by the names that they had, for pickles; asked only for what is found nowhere else."""

        @staticmethod
        def find_spec(name: str, *_: object) -> object:
            """Find a module."""
            if not name.startswith("redcore."):
                return None
            from redcore._call.old_names import find  # noqa: PLC0415 (hardly ever needed)

            return find(name)

    sys.meta_path.append(_OldNames)


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
    "AsyncStreamedFile",
    "Attempt",
    "AttemptResult",
    "AuthenticationError",
    "ChecksumError",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "CursorMeta",
    "CursorPage",
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
    "ReferenceServerError",
    "RequestOptions",
    "RequestTimeoutError",
    "Response",
    "ResponseError",
    "Retry",
    "Scope",
    "ServerError",
    "ServerMetadata",
    "StreamedFile",
    "TokenCache",
    "TokenCacheError",
    "TokenSet",
    "Unset",
    "User",
    "UserRole",
    "UserStatus",
    "ValidationError",
    "WaitTimeoutError",
    "Workflow",
    "WorkflowRun",
    "WorkflowRunError",
    "WorkflowRunStatus",
    "converter",
]
