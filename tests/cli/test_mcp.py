"""`redcore mcp`, driven by the protocol's reference client."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from mcp import Client as McpClient
from mcp import StdioServerParameters
from mcp_types import ElicitResult

from redcore import Client
from redcore.cli.generated import COMMANDS
from redcore.cli.mcp import server_of
from redcore.cli.mcp_tools import chosen_tools, why_not
from redcore.cli.state import State
from redcore.testing import Lab, ReferenceServer

Use = Callable[[McpClient], Awaitable[Any]]


@pytest.fixture
def state(redcore_server: ReferenceServer, redcore_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> State:
    """A command line with the seeded API key."""
    for name in ("REDCORE_BASE_URL", "REDCORE_API_KEY"):
        monkeypatch.setenv(name, redcore_server.environment[name])
    return State()


def used(state: State, use: Use, *, writes: bool = False, answer: ElicitResult | None = None) -> Any:
    """Return what a client gets from a server in the same process."""

    async def decide(_: Any, __: Any) -> ElicitResult:
        assert answer is not None
        return answer

    callback: Any = decide if answer else None

    async def main() -> Any:
        server = server_of(state, chosen_tools(writes=writes))
        async with McpClient(server, elicitation_callback=callback) as client:
            return await use(client)

    try:
        return anyio.run(main)
    finally:
        state.close()


def test_only_reading_is_offered_unless_writes_are_allowed() -> None:
    """Every operation of the spec is a tool, except those of the OAuth service and those that return a secret."""
    reading, all_of_them = chosen_tools(writes=False), chosen_tools(writes=True)
    kept_back = {"api_keys_create", "applications_create", "applications_rotate_secret"}

    assert {c.operation_id for c in COMMANDS if c.method == "GET" and c.resource != "auth"} == reading.keys()
    assert {c.operation_id for c in COMMANDS if c.resource != "auth"} - kept_back == all_of_them.keys()


def test_a_tool_is_described_by_the_spec(state: State) -> None:
    """Enums, prefixes, required arguments, and hints about its effects."""
    listed = used(state, lambda client: client.list_tools(), writes=True)
    tools = {tool.name: tool for tool in listed.tools}

    assert tools["users_create"].input_schema["required"] == ["email", "name"]
    assert tools["users_create"].input_schema["properties"]["role"]["enum"] == ["admin", "editor", "viewer"]
    assert tools["users_delete"].annotations.destructive_hint is True
    assert tools["users_list"].annotations.read_only_hint is True


def test_a_listing_is_data_and_text(state: State) -> None:
    """Newest first, at most as many as requested."""
    result = used(state, lambda client: client.call_tool("users_list", {"limit": 1}))

    assert [user["email"] for user in result.structured_content["items"]] == ["admin@example.com"]


def test_an_error_is_worded_as_on_the_command_line(state: State) -> None:
    """With the request id; a bad argument is refused before anything is sent."""
    missing = used(state, lambda client: client.call_tool("users_get", {"user_id": "usr_none"}))
    wrong = used(state, lambda client: client.call_tool("users_get", {"user_id": "prod_1"}))

    assert (missing.is_error, "404 RESOURCE_NOT_FOUND" in missing.content[0].text) == (True, True)
    assert (wrong.is_error, "begins with usr_" in wrong.content[0].text) == (True, True)


@pytest.mark.parametrize(
    ("answer", "is_left"),
    [
        (None, True),
        (ElicitResult(action="decline"), True),
        (ElicitResult(action="accept", content={"confirm": False}), True),
        (ElicitResult(action="accept", content={"confirm": True}), False),
    ],
)
def test_nothing_is_deleted_without_a_confirmation(
    state: State, redcore_server: ReferenceServer, answer: ElicitResult | None, *, is_left: bool
) -> None:
    """A client that cannot ask the person cannot confirm for them."""
    with Client(**redcore_server.api_key) as admin:
        product = admin.products.create(name="Engine", sku="ENG", price=1)
        used(
            state,
            lambda client: client.call_tool("products_delete", {"product_id": product.id}),
            writes=True,
            answer=answer,
        )

        assert bool(admin.products.list()) is is_left


def test_no_tool_returns_a_secret(state: State, redcore_server: ReferenceServer) -> None:
    """Every tool meets an object with a secret; the canaries are a key, a client's secret, and the server's key."""
    with Client(**redcore_server.api_key) as admin:
        key = admin.api_keys.create(name="canary", scopes=["users:read"])
        application = admin.applications.create(name="canary", type="confidential", scopes=["users:read"])
        ids = {
            "user_id": admin.users.get_me().id,
            "key_id": key.id,
            "application_id": application.id,
            "product_id": admin.products.create(name="Engine", sku="ENG", price=1).id,
            "file_id": admin.files.upload(file=b"text", name="a.txt").id,
            "run_id": admin.workflows.run("catalog_export", input={}).id,
        }

    async def use(client: McpClient) -> list[str]:
        said = []
        for tool in (await client.list_tools()).tools:
            schema = tool.input_schema
            given = {name: ids.get(name, "x") for name in schema["required"]}
            said.append(str(await client.call_tool(tool.name, given)))
        return said

    said = "".join(used(state, use, writes=True, answer=ElicitResult(action="decline")))

    assert all(found in said for found in ("canary", "ENG", "a.txt"))
    for secret in (key.key, application.client_secret, redcore_server.api_key["api_key"]):
        assert secret
        assert str(secret) not in said


def test_a_text_is_stored_and_read_back(state: State) -> None:
    """No file of this machine is read or written."""

    async def use(client: McpClient) -> Any:
        made = await client.call_tool("files_upload", {"name": "a.txt", "content": "hello"})
        return await client.call_tool("files_download", {"file_id": made.structured_content["id"]})

    assert used(state, use, writes=True).structured_content == {"text": "hello", "truncated": False}


@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.parametrize("answer", [None, ElicitResult(action="accept", content={"confirm": True})])
def test_deleting_and_revoking_are_confirmed_over_stdio_in_both_eras_of_the_protocol(
    redcore_server: ReferenceServer, redcore_lab: Lab, mode: str, answer: ElicitResult | None
) -> None:
    """As an assistant's program starts it: by a handshake and a request, or by a question in the answer.

    A client that cannot ask gets the reason why nothing was done.
    """
    asked: list[str] = []

    async def decide(_: Any, question: Any) -> Any:
        asked.append(question.message)
        return answer

    async def main(product_id: str, key_id: str) -> Any:
        callback: Any = decide if answer else None
        async with McpClient(over_stdio(redcore_server), mode=mode, elicitation_callback=callback) as client:
            assert (await client.call_tool("users_get_me", {})).structured_content["email"] == "admin@example.com"
            deleted = await client.call_tool("products_delete", {"product_id": product_id})
            return deleted, await client.call_tool("api_keys_revoke", {"key_id": key_id})

    with Client(**redcore_server.api_key) as admin:
        product = admin.products.create(name="Engine", sku="ENG", price=1)
        key = admin.api_keys.create(name="canary", scopes=["users:read"])
        results = anyio.run(main, product.id, key.id)
        left = [found.id for found in admin.products.list()]
        left += [found.id for found in admin.api_keys.list() if found.id == key.id]

    if answer is None:
        assert left == [product.id, key.id]
        assert all(result.is_error and "elicitation" in result.content[0].text for result in results)
    else:
        assert left == []
        questions = (f"Delete a product: {product.id}", f"Revoke an API key: {key.id}")
        assert asked == [f"{question}? This cannot be undone." for question in questions]


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_tool_that_would_return_a_secret_says_why_it_is_missing(
    redcore_server: ReferenceServer, redcore_lab: Lab, mode: str
) -> None:
    """Creating and rotating would put it into the assistant's context; the answer names the command for people."""
    refused = {
        "applications_rotate_secret": "redcore applications rotate-secret",
        "applications_create": "redcore applications create",
        "api_keys_create": "redcore api-keys create",
    }

    async def main() -> Any:
        async with McpClient(over_stdio(redcore_server), mode=mode) as client:
            listed = {tool.name for tool in (await client.list_tools()).tools}
            return listed, {name: await client.call_tool(name, {}) for name in refused}

    listed, results = anyio.run(main)

    assert listed.isdisjoint(refused)
    for name, command in refused.items():
        assert results[name].is_error
        assert "gives a secret" in results[name].content[0].text
        assert results[name].content[0].text.endswith(command)


def test_a_tool_that_writes_says_which_option_offers_it() -> None:
    """An unknown tool is reported as unknown."""
    assert "--allow-writes" in why_not("users_create")
    assert why_not("users_fly") == "There is no tool 'users_fly'."


def over_stdio(server: ReferenceServer) -> StdioServerParameters:
    """Start the tools as an assistant's program does."""
    arguments = ["-m", "redcore.cli", "mcp", "--allow-writes"]
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return StdioServerParameters(command=sys.executable, args=arguments, env={**server.environment, **measured})
