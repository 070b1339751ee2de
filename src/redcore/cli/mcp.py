"""`redcore mcp`: the spec's operations as tools for assistants, over stdio (Model Context Protocol).

Only what reads, unless the person who starts it allows writes; what cannot be undone is done only after the person has
confirmed it through the protocol. No tool gives a secret, and none reads or writes files of this machine.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from redcore import __version__
from redcore.cli.app import CONTEXT
from redcore.cli.failures import hint, sentence
from redcore.cli.mcp_tools import Tool, chosen_tools, why_not
from redcore.cli.options import with_common
from redcore.cli.state import State
from redcore.exceptions import RedcoreError

if TYPE_CHECKING:
    from mcp.server import Server
    from mcp.server.context import ServerRequestContext
    from mcp_types import CallToolRequestParams, CallToolResult, InputRequiredResult, ListToolsResult

NEEDS_EXTRA = "redcore mcp needs its extra: pip install 'redcore-sdk[mcp]'"
INSTRUCTIONS = (
    "Tools of the BlueRound platform, for one organisation. Ids have a prefix that says what they are: usr_, prod_, "
    "wfr_, file_, key_, app_. Listings give at most `limit` items, newest first."
)
DISAGREED = "The person did not agree; nothing was done."
CANNOT_ASK = (
    "Nothing was done: this cannot be undone, so the person must confirm it, and this program cannot ask them (it does "
    "not declare the capability `elicitation`). The person can do it with the `redcore` command line."
)
CONFIRM = "confirm"
"""The name of the question, where a call is repeated with its answer."""


@with_common(examples=["redcore mcp", "redcore mcp --allow-writes --profile staging"])
@click.command("mcp", context_settings=CONTEXT)
@click.option("--allow-writes", is_flag=True, help="Offer the tools that create and change, too.")
@click.pass_obj
def command(state: State, *, allow_writes: bool) -> None:
    """Serve the operations as tools for assistants, over stdio.

    Only what reads is offered, unless --allow-writes is given. Deleting and revoking ask you first, through the
    assistant's program. What gives a secret is never offered.
    """
    if find_spec("mcp") is None:
        raise click.UsageError(NEEDS_EXTRA)
    import anyio  # noqa: PLC0415 (not needed for `--help`)
    from mcp.server.stdio import stdio_server  # noqa: PLC0415 (of the extra)

    state.client()  # without a login it ends here, in words

    async def main() -> None:
        server = server_of(state, chosen_tools(writes=allow_writes))
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    anyio.run(main)


def server_of(state: State, tools: dict[str, Tool]) -> Server[Any]:
    """Make the server of some tools."""
    from anyio import to_thread  # noqa: PLC0415 (of the extra's own libraries)
    from mcp.server import Server as Made  # noqa: PLC0415 (of the extra)
    from mcp_types import CallToolResult as Result  # noqa: PLC0415 (as above)
    from mcp_types import ListToolsResult as Listing  # noqa: PLC0415 (as above)
    from mcp_types import TextContent  # noqa: PLC0415 (as above)
    from mcp_types import Tool as Described  # noqa: PLC0415 (as above)

    async def list_tools(_: ServerRequestContext[Any], __: Any) -> ListToolsResult:
        return Listing(tools=[Described.model_validate(tool.described()) for tool in tools.values()])

    async def call_tool(
        context: ServerRequestContext[Any], asked: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        tool = tools.get(asked.name)
        if tool is None:
            return said(why_not(asked.name), is_error=True)
        given = asked.arguments or {}
        if tool.is_destructive:
            refusal = await refused(context, asked, tool.question(given))
            if refusal is not None:
                return said(refusal, is_error=True) if isinstance(refusal, str) else refusal
        try:
            data = await to_thread.run_sync(tool.call, state.client(), given)
        except (RedcoreError, click.ClickException) as error:
            return said(worded(error, state, tool), is_error=True)
        return Result(content=[TextContent(type="text", text=data.text)], structured_content=data.structured)

    def said(text: str, *, is_error: bool) -> CallToolResult:
        return Result(content=[TextContent(type="text", text=text)], is_error=is_error)

    return Made(
        "redcore", version=__version__, instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool
    )


async def refused(
    context: ServerRequestContext[Any], asked: CallToolRequestParams, question: str
) -> str | InputRequiredResult | None:
    """Ask the person, by whichever of the protocol's two ways this connection has.

    Returns:
        None if the person agrees; why nothing is done; or the question, for a client that repeats the call with the
        answer.
    """
    from mcp_types import ElicitRequest, ElicitRequestFormParams  # noqa: PLC0415 (of the extra)
    from mcp_types import InputRequiredResult as Required  # noqa: PLC0415 (as above)

    schema = {
        "type": "object",
        "properties": {CONFIRM: {"type": "boolean", "title": "Go on", "default": False}},
        "required": [CONFIRM],
    }
    capabilities = context.session.client_capabilities
    if capabilities is None or capabilities.elicitation is None:
        return CANNOT_ASK  # a client that cannot ask the person cannot agree for them
    if context.session.can_send_request:
        return None if agrees(await context.session.elicit_form(question, schema)) else DISAGREED
    answers = asked.input_responses or {}
    if CONFIRM in answers:
        return None if agrees(answers[CONFIRM]) else DISAGREED
    form = ElicitRequestFormParams(message=question, requested_schema=schema)
    return Required(input_requests={CONFIRM: ElicitRequest(params=form)})


def agrees(answer: Any) -> bool:
    """Whether an answer is a yes: accepted, and ticked."""
    content: dict[str, Any] = getattr(answer, "content", None) or {}
    return getattr(answer, "action", None) == "accept" and content.get(CONFIRM) is True


def worded(error: RedcoreError | click.ClickException, state: State, tool: Tool) -> str:
    """Say what went wrong and what to do, as the command line does."""
    if isinstance(error, click.ClickException):
        return error.format_message()
    state.scope_needed = tool.scope
    advice = hint(error, state)
    return f"{sentence(error)}\n{advice}" if advice else sentence(error)
