"""RedCore, the Python SDK of the BlueRound platform.

from redcore import Client

with Client(api_key="rk_live_…") as client:
    me = client.users.get_me()
"""

from redcore._generated.models import (
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
from redcore._response import Headers, Response
from redcore._values import UNSET, FileContent, Model, OpenEnum, Unset
from redcore._version import __version__ as __version__
from redcore.client import AsyncClient, Client
from redcore.exceptions import (
    ArgumentError,
    AuthenticationError,
    ConfigurationError,
    DuplicateError,
    NetworkError,
    NotFoundError,
    PermissionError,  # noqa: A004 (the contract's name)
    RateLimitError,
    RedcoreAPIError,
    RedcoreError,
    ResponseError,
    ValidationError,
)
from redcore.pagination import AsyncPages, Pages
from redcore.tokens import MemoryCache, TokenCache, TokenSet

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
    "AsyncPages",
    "AuthenticationError",
    "Client",
    "ConfigurationError",
    "DuplicateError",
    "ErrorCode",
    "ErrorDetail",
    "File",
    "FileContent",
    "Headers",
    "Introspection",
    "Jwk",
    "Jwks",
    "ListMeta",
    "MemoryCache",
    "Model",
    "NetworkError",
    "NotFoundError",
    "OpenEnum",
    "Page",
    "Pages",
    "PermissionError",
    "Product",
    "ProductStatus",
    "RateLimitError",
    "RedcoreAPIError",
    "RedcoreError",
    "Response",
    "ResponseError",
    "Scope",
    "ServerMetadata",
    "TokenCache",
    "TokenSet",
    "Unset",
    "User",
    "UserRole",
    "UserStatus",
    "UserUpdateStatus",
    "ValidationError",
    "Workflow",
    "WorkflowRun",
    "WorkflowRunError",
    "WorkflowRunStatus",
]
