"""How a client is configured (contract section 7, Client)."""

from __future__ import annotations

import enum
import traceback
from typing import Any, cast

import pytest
from tests.core.world import given

from redcore import UNSET, AsyncClient, Client, Hooks
from redcore._call.arguments import TEXTS, ClientArguments
from redcore._call.config import OPTIONS, Config, configure, reconfigure
from redcore._call.credentials import Credentials
from redcore._call.engine import CallOptions
from redcore.exceptions import ConfigurationError
from redcore.options import Retry
from redcore.tokens import FileCache

KEY = {"api_key": "rk_test_1"}
CANARY = "c4n4ry"


def set_up(env: dict[str, str] | None = None, /, **options: Any) -> Config:
    return configure(given(**options), env or {})


def refused(env: dict[str, str] | None = None, /, **options: Any) -> str:
    """Return the message of the error, after checking that its whole text hides the canary."""
    with pytest.raises(ConfigurationError) as caught:
        set_up(env, **options)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    return caught.value.message


class Secret:
    """A value of a settings library, such as pydantic's SecretStr."""

    def get_secret_value(self) -> str:
        return CANARY

    def __repr__(self) -> str:
        return CANARY


class TestTypes:
    @pytest.mark.parametrize("value", [5, b"rk_test_" + CANARY.encode(), [CANARY], {CANARY: CANARY}, object()])
    @pytest.mark.parametrize("name", TEXTS)
    def test_what_must_be_a_string(self, name: str, value: object) -> None:
        """The error names the argument and the type, and never the value, which may be a secret."""
        others = {"client_id": "app", "client_secret": "secret", name: value} if name != "api_key" else {name: value}

        message = refused(**others)

        assert message.startswith(f"{name} must be a string, not {type(value).__name__}")

    def test_strings_of_other_classes_are_what_they_hold(self) -> None:
        """A member of an enum would format as its name, also in `Authorization`."""

        class Setting(str, enum.Enum):  # noqa: UP042 (it is what applications have)
            KEY = "rk_test_1"
            URL = "https://api.example.com/v1"

        config = configure(ClientArguments(api_key=Setting.KEY, base_url=Setting.URL), {})

        assert [f"{text}" for text in (config.credentials.api_key, config.base_url)] == ["rk_test_1", Setting.URL.value]

    def test_the_secret_of_a_settings_library(self) -> None:
        """The error says how to pass the text that it wraps."""
        assert refused(api_key=Secret()) == (
            "api_key must be a string, not Secret; pass what its get_secret_value() returns"
        )

    def test_a_list_of_scopes(self) -> None:
        """The error says how several scopes are written."""
        message = refused(client_id="app", client_secret="secret", scope=["users:read", "files:read"])

        assert message == "scope must be a string, not list; separate scopes by spaces"

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("token_cache", "tokens.json", "token_cache must have the methods get, set and delete"),
            ("token_cache", {}, "token_cache must have the methods get, set and delete"),
            ("token_cache", FileCache, "token_cache is a class"),
            ("on_token_refreshed", "print", "on_token_refreshed must be a function; got str"),
            ("hooks", print, "hooks must be redcore.Hooks or redcore.AsyncHooks; got builtin_function_or_method"),
            ("hooks", Hooks(before_attempt=cast("Any", 3)), "before_attempt must be a function; got int"),
            ("hooks", Hooks(after_attempt=cast("Any", "log")), "after_attempt must be a function; got str"),
            ("pacing", "no", "pacing must be True or False, not 'no'"),
        ],
    )
    @pytest.mark.parametrize("cls", [Client, AsyncClient])
    def test_an_object_of_another_kind(self, cls: Any, name: str, value: object, message: str) -> None:
        """It is refused when the client is made, not by the first call that needs it."""
        with pytest.raises(ConfigurationError, match=message):
            cls(**KEY, **{name: value})

    def test_hooks_of_another_kind_for_a_derived_client(self) -> None:
        """They are refused as those of a new client are."""
        with Client(api_key="rk_test_1") as client, pytest.raises(ConfigurationError, match="hooks must be"):
            client.with_options(hooks=[print])  # type: ignore[arg-type]


class TestAddress:
    @pytest.mark.parametrize(
        ("env", "options", "base_url"),
        [
            ({}, {}, "https://api.blueround.com/v1"),
            ({}, {"environment": "production"}, "https://api.blueround.com/v1"),
            ({}, {"environment": "staging"}, "https://api.blueround.dev/v1"),
            ({"REDCORE_ENVIRONMENT": "staging"}, {}, "https://api.blueround.dev/v1"),
            ({"REDCORE_ENVIRONMENT": ""}, {}, "https://api.blueround.com/v1"),
            ({"REDCORE_BASE_URL": "https://env/v1"}, {}, "https://env/v1"),
            ({"REDCORE_BASE_URL": "https://env/v1", "REDCORE_ENVIRONMENT": "staging"}, {}, "https://env/v1"),
            ({"REDCORE_BASE_URL": "https://env/v1"}, {"environment": "staging"}, "https://api.blueround.dev/v1"),
            ({"REDCORE_BASE_URL": "https://env/v1"}, {"base_url": "https://arg/v1"}, "https://arg/v1"),
            ({}, {"base_url": "https://arg/v1", "environment": "staging"}, "https://arg/v1"),
            ({}, {"base_url": "https://arg/v1//"}, "https://arg/v1"),
            ({}, {"base_url": "HTTPS://arg:8443"}, "HTTPS://arg:8443"),
            ({}, {"base_url": "http://127.0.0.1:4010/v1"}, "http://127.0.0.1:4010/v1"),
            ({}, {"base_url": "http://127.9.9.9"}, "http://127.9.9.9"),
            ({}, {"base_url": "http://[::1]:4010/v1"}, "http://[::1]:4010/v1"),
            ({}, {"base_url": "http://localhost/v1"}, "http://localhost/v1"),
            ({}, {"base_url": "http://api.localhost/v1"}, "http://api.localhost/v1"),
        ],
    )
    def test_where_the_api_is(self, env: dict[str, str], options: dict[str, str], base_url: str) -> None:
        """base_url beats environment, arguments beat variables, an empty variable counts as unset."""
        assert set_up(env, **KEY, **options).base_url == base_url

    @pytest.mark.parametrize(
        ("env", "options", "origin"),
        [
            ({}, {}, "https://api.blueround.com"),
            ({}, {"base_url": "http://127.0.0.1:4010/v1"}, "http://127.0.0.1:4010"),
            ({"REDCORE_AUTH_URL": "https://env"}, {}, "https://env"),
            ({"REDCORE_AUTH_URL": "https://env"}, {"auth_url": "https://arg:1/"}, "https://arg:1"),
        ],
    )
    def test_where_the_oauth_endpoints_are(self, env: dict[str, str], options: dict[str, str], origin: str) -> None:
        """auth_url is an origin; without one it is that of base_url."""
        assert set_up(env, **KEY, **options).auth_origin == origin

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("", "is not a URL"),
            ("api.blueround.com", "must begin with https://"),
            ("ftp://host", "must begin with https://"),
            ("//host/v1", "must begin with https://"),
            ("https://", "has no host"),
            ("https:///v1", "has no host"),
            ("https://ho st", "is not a URL"),
            ("https://host\n", "is not a URL"),
            ("https://host\x7f", "is not a URL"),
            ("https://bücher.example", "is not a URL: write its host as in DNS, such as xn--bcher-kva.example"),
            ("https:\\\\host", "is not a URL"),
            ("https://host:port", "is not a URL"),
            ("https://host:99999", "is not a URL"),
            (f"https://key:{CANARY}", "is not a URL"),
            ("https://[::1", "is not a URL"),
            ("https://host..example", "is not a URL"),
            (f"https://{'a' * 64}.example", "is not a URL"),
            (f"https://user:{CANARY}@host", "user name or password"),
            (f"https://{CANARY}@host", "user name or password"),
            ("https://@host", "user name or password"),
            (f"https://host?key={CANARY}", "query or a fragment"),
            ("https://host?", "query or a fragment"),
            ("https://host#", "query or a fragment"),
            ("http://api.blueround.com", "must use https"),
            ("http://localhost.example", "must use https"),
            ("http://10.0.0.1", "must use https"),
            ("http://0.0.0.0", "must use https"),
        ],
    )
    @pytest.mark.parametrize("name", ["base_url", "auth_url"])
    def test_bad_urls(self, url: str, expected: str, name: str) -> None:
        """A URL that cannot be used, or to which no secret may be sent, is refused with a hint how to correct it."""
        message = refused(**KEY, **{name: url})

        assert message.startswith(name)
        assert expected in message

    @pytest.mark.parametrize("variable", ["REDCORE_BASE_URL", "REDCORE_AUTH_URL"])
    def test_the_variable_is_named(self, variable: str) -> None:
        """If a variable is at fault, the message names it rather than the argument."""
        assert refused({variable: f"https://u:{CANARY}@h"}, **KEY).startswith(variable)

    def test_a_path_in_auth_url(self) -> None:
        """The OAuth paths are fixed by the contract: only an origin makes sense."""
        assert refused(**KEY, auth_url="https://host/oauth").startswith("auth_url must be an origin")

    def test_unknown_environments(self) -> None:
        """The message lists the known environments, and names where the value came from."""
        assert refused(**KEY, environment="prod") == "environment must be one of production, staging; got 'prod'"
        assert refused({"REDCORE_ENVIRONMENT": "x"}, **KEY).startswith("REDCORE_ENVIRONMENT must be one of")


class TestNumbers:
    def test_defaults(self) -> None:
        """30 s an attempt, no deadline, two retries."""
        options = set_up(**KEY).options

        assert (options.timeout_s, options.deadline_s, options.retry.max_retries) == (30.0, None, 2)

    def test_variables_and_arguments(self) -> None:
        """Arguments win; an empty variable counts as unset; the deadline has no variable."""
        env = {"REDCORE_TIMEOUT": "5", "REDCORE_MAX_RETRIES": "7", "REDCORE_DEADLINE": "1"}

        from_env = set_up(env, **KEY).options
        assert (from_env.timeout_s, from_env.deadline_s, from_env.retry.max_retries) == (5.0, None, 7)

        both = set_up(env, **KEY, timeout=1.5, deadline=9, max_retries=0).options
        assert (both.timeout_s, both.deadline_s, both.retry.max_retries) == (1.5, 9.0, 0)

        assert set_up({"REDCORE_TIMEOUT": "", "REDCORE_MAX_RETRIES": ""}, **KEY).options.timeout_s == 30.0

    @pytest.mark.parametrize("number", [0, -1, float("nan"), float("inf"), 1e300, "soon", []])
    @pytest.mark.parametrize("name", ["timeout", "deadline"])
    def test_bad_durations(self, name: str, number: object) -> None:
        """A duration is a number of seconds that a timer can hold."""
        assert refused(**KEY, **{name: number}).startswith(f"{name} must be a number of seconds above 0")

    @pytest.mark.parametrize("number", [-1, 1.5, "two", True, []])
    def test_bad_counts(self, number: object) -> None:
        """The number of retries is a whole number."""
        assert refused(**KEY, max_retries=number).startswith("max_retries must be a whole number")

    def test_a_policy_and_a_count(self) -> None:
        """Both say how often to retry, so they exclude each other, in a client and in its options."""
        assert "max_retries" in refused(**KEY, retry=Retry(), max_retries=3)
        with pytest.raises(ConfigurationError, match="max_retries"):
            reconfigure(CallOptions(), {**dict.fromkeys(OPTIONS, UNSET), "retry": Retry(), "max_retries": 3})

    def test_a_policy_of_another_library(self) -> None:
        """The error shows what is expected."""
        assert "retry must be a redcore.Retry, as in Retry(max_retries=5)" in refused(**KEY, retry=object())

    def test_variables_are_named(self) -> None:
        """If a variable is at fault, the message names it."""
        assert refused({"REDCORE_TIMEOUT": "x"}, **KEY).startswith("REDCORE_TIMEOUT must be")
        assert refused({"REDCORE_MAX_RETRIES": "x"}, **KEY).startswith("REDCORE_MAX_RETRIES must be")


class TestCredentials:
    @pytest.mark.parametrize(
        ("env", "options", "credentials"),
        [
            ({}, {"api_key": "k"}, Credentials(api_key="k")),
            ({"REDCORE_API_KEY": "k"}, {}, Credentials(api_key="k")),
            ({"REDCORE_API_KEY": "env"}, {"api_key": "k"}, Credentials(api_key="k")),
            (
                {"REDCORE_API_KEY": "k", "REDCORE_CLIENT_ID": "i", "REDCORE_CLIENT_SECRET": "s"},
                {},
                Credentials(api_key="k"),
            ),
            ({"REDCORE_CLIENT_ID": "i", "REDCORE_CLIENT_SECRET": "s"}, {"api_key": "k"}, Credentials(api_key="k")),
            ({}, {"client_id": "i", "client_secret": "s"}, Credentials(client_id="i", client_secret="s")),
            (
                {"REDCORE_CLIENT_ID": "i", "REDCORE_CLIENT_SECRET": "s"},
                {"scope": "users:read"},
                Credentials(client_id="i", client_secret="s", scope="users:read"),
            ),
            (
                {"REDCORE_API_KEY": "k", "REDCORE_CLIENT_SECRET": "s"},
                {"client_id": "i"},
                Credentials(client_id="i", client_secret="s"),
            ),
            (
                {"REDCORE_API_KEY": "k", "REDCORE_CLIENT_ID": "i"},
                {"client_secret": "s"},
                Credentials(client_id="i", client_secret="s"),
            ),
            ({}, {"access_token": "a"}, Credentials(access_token="a")),
            ({}, {"refresh_token": "r"}, Credentials(refresh_token="r")),
            ({"REDCORE_API_KEY": "k"}, {"access_token": "a"}, Credentials(access_token="a")),
            (
                {"REDCORE_CLIENT_ID": "i", "REDCORE_CLIENT_SECRET": "s"},
                {"access_token": "a"},
                Credentials(client_id="i", client_secret="s", access_token="a", personal=True),
            ),
            (
                {"REDCORE_CLIENT_ID": "i", "REDCORE_CLIENT_SECRET": "s"},
                {"access_token": "a", "refresh_token": "r"},
                Credentials(client_id="i", client_secret="s", access_token="a", refresh_token="r"),
            ),
            (
                {},
                {"client_id": "i", "access_token": "a", "refresh_token": "r"},
                Credentials(client_id="i", access_token="a", refresh_token="r"),
            ),
        ],
    )
    def test_the_one_way_to_authenticate(
        self, env: dict[str, str], options: dict[str, str], credentials: Credentials
    ) -> None:
        """Any argument wins over any variable; among variables the API key wins."""
        assert set_up(env, **options).credentials == credentials

    @pytest.mark.parametrize(
        ("env", "options", "expected"),
        [
            ({}, {}, "no credentials: pass api_key= or set REDCORE_API_KEY"),
            ({"REDCORE_API_KEY": ""}, {}, "no credentials"),
            ({}, {"scope": "users:read"}, "no credentials"),
            ({}, {"client_id": "i"}, "client_secret is missing: pass client_secret= or set REDCORE_CLIENT_SECRET"),
            ({"REDCORE_CLIENT_ID": "i"}, {}, "client_secret is missing"),
            ({}, {"client_secret": CANARY}, "client_id is missing: pass client_id= or set REDCORE_CLIENT_ID"),
            ({"REDCORE_CLIENT_SECRET": CANARY}, {}, "client_id is missing"),
        ],
    )
    def test_missing_credentials(self, env: dict[str, str], options: dict[str, str], expected: str) -> None:
        """The message says what to pass or set."""
        assert refused(env, **options).startswith(expected)

    @pytest.mark.parametrize("other", ["client_id", "client_secret", "access_token", "refresh_token"])
    def test_an_api_key_and_other_credentials(self, other: str) -> None:
        """Two identities given as arguments are refused."""
        assert refused(api_key=CANARY, **{other: CANARY}).startswith(f"give either api_key or {other}, not both")

    @pytest.mark.parametrize("value", ["", f"{CANARY}\n", f" {CANARY}", f"{CANARY}é", f"{CANARY}\x00"])
    @pytest.mark.parametrize("name", ["api_key", "client_id", "client_secret", "access_token", "refresh_token"])
    def test_secrets_that_no_header_can_hold(self, name: str, value: str) -> None:
        """A secret with a line end, as read from a file, is refused without being repeated."""
        others = {"client_id": {"client_secret": "s"}, "client_secret": {"client_id": "i"}}.get(name, {})

        assert refused(**{name: value}, **others).startswith(f"{name} is empty or has characters")

    @pytest.mark.parametrize("variable", ["REDCORE_API_KEY", "REDCORE_CLIENT_ID", "REDCORE_CLIENT_SECRET"])
    def test_secrets_that_no_header_can_hold_in_a_variable(self, variable: str) -> None:
        """If a variable is at fault, the message names it."""
        assert refused({variable: f"{CANARY} \n"}).startswith(f"{variable} is empty or has characters")

    @pytest.mark.parametrize(
        "placeholder",
        [
            "rk_live_…",
            "rk_live_...",
            "rk_test_YOUR_KEY",
            "YOUR_API_KEY",
            "your-api-key",
            "<api key>",
            "${REDCORE_API_KEY}",
            "$REDCORE_API_KEY",
            "{{ api_key }}",
            "rk_test_xxxx",
            "rk_live_****",
            "change-me",
        ],
    )
    @pytest.mark.parametrize("name", ["api_key", "access_token"])
    def test_a_placeholder_is_called_one(self, name: str, placeholder: str) -> None:
        """A placeholder left over from a pasted example is refused, with the advice to replace it."""
        message = refused(**{name: placeholder})

        assert message == f"{name} is the placeholder of an example: put your own in its place"

    @pytest.mark.parametrize("key", ["rk_live_yours", "rk_test_1", "k", "eyJhbGciOi.J9.your_signature", "rk_test_ax"])
    def test_a_key_that_resembles_a_placeholder(self, key: str) -> None:
        """Keys that only resemble a placeholder are accepted."""
        assert set_up(api_key=key).credentials.api_key == key

    def test_no_repr_shows_a_secret(self) -> None:
        """Neither the arguments nor the configuration print a secret."""
        options = {"client_id": "i", "client_secret": CANARY, "access_token": CANARY, "refresh_token": CANARY}

        assert CANARY not in repr((given(**options), set_up(**options), given(api_key=CANARY)))
