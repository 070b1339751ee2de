"""The clients and SDKs that RedCore is measured beside, each fetching an object and a page of 100."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from contestants import HEADERS, PAGE_OF_USERS, TASKS, USER_ID, Role, Status


class Httpx2:
    """httpx2, bare."""

    def __init__(self, origin: str) -> None:
        import httpx2

        self._client = httpx2.Client(base_url=origin, headers=HEADERS)

    def one(self) -> Any:
        return self._client.get(f"/v1/users/{USER_ID}").json()

    def many(self) -> Any:
        return self._client.get("/v1/users?limit=100").json()


class AsyncHttpx2:
    """httpx2, bare, async."""

    def __init__(self, origin: str) -> None:
        import httpx2

        self._client = httpx2.AsyncClient(base_url=origin, headers=HEADERS)

    async def one(self) -> Any:
        return (await self._client.get(f"/v1/users/{USER_ID}")).json()

    async def many(self) -> Any:
        return (await self._client.get("/v1/users?limit=100")).json()


class Pyqwest:
    """pyqwest, bare: a client in Rust, without bounds on sizes, retries or typed answers."""

    def __init__(self, origin: str) -> None:
        import pyqwest

        self._client = pyqwest.SyncClient(pyqwest.SyncHTTPTransport())
        self._origin = origin

    def one(self) -> Any:
        return self._fetch(f"/v1/users/{USER_ID}")

    def many(self) -> Any:
        return self._fetch("/v1/users?limit=100")

    def _fetch(self, target: str) -> Any:
        return json.loads(self._client.get(self._origin + target, HEADERS).content)


class AsyncPyqwest:
    """pyqwest, bare, async."""

    def __init__(self, origin: str) -> None:
        import pyqwest

        self._client = pyqwest.Client(pyqwest.HTTPTransport())
        self._origin = origin

    async def one(self) -> Any:
        return await self._fetch(f"/v1/users/{USER_ID}")

    async def many(self) -> Any:
        return await self._fetch("/v1/users?limit=100")

    async def _fetch(self, target: str) -> Any:
        return json.loads((await self._client.get(self._origin + target, HEADERS)).content)


class Pyreqwest:
    """pyreqwest, bare: as pyqwest."""

    def __init__(self, origin: str) -> None:
        from pyreqwest.client import SyncClientBuilder

        self._client = SyncClientBuilder().build()
        self._origin = origin

    def one(self) -> Any:
        return self._fetch(f"/v1/users/{USER_ID}")

    def many(self) -> Any:
        return self._fetch("/v1/users?limit=100")

    def _fetch(self, target: str) -> Any:
        return json.loads(bytes(self._client.get(self._origin + target).headers(HEADERS).build().send().bytes()))


class AsyncPyreqwest:
    """pyreqwest, bare, async."""

    def __init__(self, origin: str) -> None:
        from pyreqwest.client import ClientBuilder

        self._client = ClientBuilder().build()
        self._origin = origin

    async def one(self) -> Any:
        return await self._fetch(f"/v1/users/{USER_ID}")

    async def many(self) -> Any:
        return await self._fetch("/v1/users?limit=100")

    async def _fetch(self, target: str) -> Any:
        answer = await self._client.get(self._origin + target).headers(HEADERS).build().send()
        return json.loads(bytes(await answer.bytes()))


class OpenAI:
    """openai, which sends over httpx2."""

    def __init__(self, origin: str) -> None:
        import openai

        self._models = openai.OpenAI(api_key="sk", base_url=f"{origin}/v1").models

    def one(self) -> Any:
        return self._models.retrieve("gpt-1")

    def many(self) -> Any:
        return self._models.list()


class AsyncOpenAI:
    """openai over httpx2, async."""

    def __init__(self, origin: str) -> None:
        import openai

        self._models = openai.AsyncOpenAI(api_key="sk", base_url=f"{origin}/v1", http_client=self.connections()).models

    def connections(self) -> Any:
        """The HTTP client it uses."""
        import httpx2
        import openai

        return openai.DefaultAsyncHttpxClient(
            limits=httpx2.Limits(max_connections=TASKS, max_keepalive_connections=TASKS)
        )

    async def one(self) -> Any:
        return await self._models.retrieve("gpt-1")

    async def many(self) -> Any:
        return await self._models.list()


class AiohttpOpenAI(AsyncOpenAI):
    """openai over aiohttp."""

    def connections(self) -> Any:
        """The HTTP client it uses."""
        import httpx2
        import openai

        return openai.DefaultAioHttpClient(limits=httpx2.Limits(max_connections=TASKS, max_keepalive_connections=TASKS))


class Stripe:
    """stripe, which sends over requests."""

    def __init__(self, origin: str) -> None:
        import stripe

        stripe.enable_telemetry = False
        self._customers = stripe.StripeClient("sk_test_x", base_addresses={"api": origin}).v1.customers

    def one(self) -> Any:
        return self._customers.retrieve("cus_1")

    def many(self) -> Any:
        return self._customers.list({"limit": 100})


class AsyncStripe:
    """stripe over httpx, async."""

    def __init__(self, origin: str) -> None:
        import stripe

        stripe.enable_telemetry = False
        client = stripe.StripeClient("sk_test_x", base_addresses={"api": origin}, http_client=stripe.HTTPXClient())
        self._customers = client.v1.customers

    async def one(self) -> Any:
        return await self._customers.retrieve_async("cus_1")

    async def many(self) -> Any:
        return await self._customers.list_async({"limit": 100})


class WorkOS:
    """workos, which sends over httpx."""

    def __init__(self, origin: str) -> None:
        import workos

        self._users = workos.WorkOSClient(api_key="k", client_id="c", base_url=origin).user_management

    def one(self) -> Any:
        return self._users.get_user("user_1")

    def many(self) -> Any:
        return self._users.list_users(limit=100)


class AsyncWorkOS:
    """workos, async."""

    def __init__(self, origin: str) -> None:
        import workos

        self._users = workos.AsyncWorkOSClient(api_key="k", client_id="c", base_url=origin).user_management

    async def one(self) -> Any:
        return await self._users.get_user("user_1")

    async def many(self) -> Any:
        return await self._users.list_users(limit=100)


class Azure:
    """azure-core: its pipeline with the policies of its clients over requests, and JSON without types."""

    def __init__(self, origin: str) -> None:
        from azure.core import PipelineClient, pipeline, rest

        self._origin = origin

        self._new_request = rest.HttpRequest
        known = pipeline.policies
        steps = [
            known.RequestIdPolicy(),
            known.HeadersPolicy(HEADERS),
            known.UserAgentPolicy("bench/1.0"),
            known.ProxyPolicy(),
            known.ContentDecodePolicy(),
            known.RedirectPolicy(),
            known.RetryPolicy(),
            known.CustomHookPolicy(),
            known.NetworkTraceLoggingPolicy(),
            known.DistributedTracingPolicy(),
            known.HttpLoggingPolicy(),
        ]
        self._client: Any = PipelineClient(origin, policies=steps)

    def one(self) -> Any:
        return self._get(f"/v1/users/{USER_ID}")

    def many(self) -> Any:
        return self._get("/v1/users?limit=100")

    def _get(self, path: str) -> Any:
        response = self._client.send_request(self._new_request("GET", self._origin + path))
        response.raise_for_status()
        return response.json()


class Botocore:
    """botocore, with DynamoDB, which has objects and lists of them."""

    def __init__(self, origin: str) -> None:
        import botocore.session

        self._client = botocore.session.get_session().create_client(
            "dynamodb",
            region_name="us-east-1",
            endpoint_url=origin,
            aws_access_key_id="a",
            aws_secret_access_key="b",  # noqa: S106 (of no account)
        )

    def one(self) -> Any:
        return self._client.get_item(TableName="users", Key={"id": {"S": USER_ID}})

    def many(self) -> Any:
        return self._client.scan(TableName="users", Limit=100)


class Pydantic:
    """pydantic, as openai decodes; only the decoding."""

    def __init__(self, _: str) -> None:
        import pydantic

        class User(pydantic.BaseModel):
            id: str
            email: str
            name: str
            role: Role
            status: Status
            invitation_sent_at: dt.datetime | None
            created_at: dt.datetime
            updated_at: dt.datetime

        class Users(pydantic.BaseModel):
            data: list[User]

        self._read = Users.model_validate_json

    def many(self) -> Any:
        return self._read(PAGE_OF_USERS)
