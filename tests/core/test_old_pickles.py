"""Pickles that were made before the modules of the SDK were renamed (at commit 4f199e5) still load."""

from __future__ import annotations

import importlib
import pickle
from pathlib import Path
from typing import Any

import pytest

import redcore
from redcore import AsyncClient, Client, Page, RequestOptions, Retry, User, UserRole, WorkflowRun, exceptions
from redcore._spec import models

PICKLES = Path(__file__).parent / "pickles"


def load(name: str) -> Any:
    return pickle.loads((PICKLES / f"{name}.pickle").read_bytes())  # noqa: S301 (our own)


def test_models_of_an_old_pickle() -> None:
    """Models, pages, tokens and enum values are equal to the originals, also values that no version knows."""
    held = load("values")

    assert (type(held["user"]), type(held["run"]), type(held["page"])) == (User, WorkflowRun, Page)
    assert held["page"].data == (held["user"],)
    assert (held["user"].role, held["user"].status) == (UserRole.EDITOR, "on_leave")
    assert held["run"].error.message == "m"
    assert held["response"].headers["x-request-id"] == "req_1"
    assert held["raw"].value == held["user"]
    assert held["tokens"].access_token == "a"
    assert held["rate_limit"] == redcore.RateLimit(60, 59, 1.0)
    assert held["unset"] is redcore.UNSET


def test_errors_of_an_old_pickle() -> None:
    """Each error has its class, its message and its attempts."""
    held = load("errors")

    assert {type(error) for error in held} <= {getattr(exceptions, name) for name in exceptions.__all__}
    assert {error.message for error in held[:-2]} == {"said"}
    assert {error.attempts[0].stopped for error in held} == {"retries used up"}
    assert [error.attempts[0].status_code for error in held] == [None] * len(held)
    assert (held[10].status_code, held[10].code, held[10].details[0].field) == (404, "SOME_CODE", "f")


def test_clients_of_an_old_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client has its options, including a retry policy, and the secret of the environment."""
    monkeypatch.setenv("REDCORE_API_KEY", "rk_there")

    blocking, awaiting = load("clients")

    assert (type(blocking), type(awaiting)) == (Client, AsyncClient)
    assert blocking._options.retry == Retry(max_retries=4)
    assert (blocking._options.timeout_s, blocking._options.deadline_s) == (5.0, 60.0)
    assert blocking.with_options(max_retries=1)._options.headers == {"x-trace": "1"}
    assert not awaiting._options.pacing


def test_an_unknown_module_is_not_found() -> None:
    """A name that no module ever had raises an ordinary ModuleNotFoundError."""
    with pytest.raises(ModuleNotFoundError, match=r"redcore\.nothing"):
        importlib.import_module("redcore.nothing")


def test_public_classes_are_named_after_the_package() -> None:
    """A pickle made today names `redcore.User`, not the module that defines it."""
    known = [getattr(redcore, name) for name in redcore.__all__]
    classes = {value for value in known if isinstance(value, type)} - {RequestOptions}  # it has no instances

    assert {cls for cls in classes if cls.__module__ != "redcore"} == set()


def test_classes_that_are_not_public_can_be_pickled() -> None:
    """A class that the package does not export is named after the module that defines it."""
    meta = models.Meta(request_id="req_1", version="1.2.0")

    assert pickle.loads(pickle.dumps(meta)) == meta  # noqa: S301 (our own)
