"""The lab of a reference server, over HTTP."""

from __future__ import annotations

import pytest

from redcore import Client, RateLimitError, ServerError
from redcore.exceptions import ReferenceServerError
from redcore.testing import Fault, Lab, ReferenceServer


@pytest.fixture
def lab(redcore_server: ReferenceServer) -> Lab:
    redcore_server.lab.reset()
    return redcore_server.lab


@pytest.fixture
def client(redcore_server: ReferenceServer) -> Client:
    return Client(**redcore_server.api_key, max_retries=0)


def test_faults_are_cleared(lab: Lab, client: Client) -> None:
    """Also those that no request has used."""
    with client:
        lab.inject("GET", "/v1/me", [Fault(status=503)] * 2)
        with pytest.raises(ServerError):
            client.users.get_me()
        assert [str(each) for each in lab.pending()] == ["GET /v1/me: 1 not used"]
        lab.clear_faults()

        assert client.users.get_me().role == "admin"
    assert lab.pending() == []


def test_limits_are_those_of_the_plan_after_a_reset(lab: Lab, client: Client) -> None:
    """At once, for a client that does not wait for the next window of the old ones."""
    with client:
        impatient = client.with_options(pacing=False)
        lab.limit_rate(requests_per_minute=0, requests_per_second=0)
        with pytest.raises(RateLimitError):
            impatient.users.get_me()
        lab.restore_rate_limits()

        assert impatient.users.get_me().role == "admin"


def test_the_clock_is_that_of_the_machine_after_a_reset(lab: Lab, client: Client) -> None:
    """After it was moved ahead."""
    with client:
        lab.advance_clock(1_000_000_000)
        later = client.users.create(email="ada@example.com", name="Ada").created_at
        lab.reset_clock()

        assert client.users.create(email="grace@example.com", name="Grace").created_at < later
    lab.reset()


def test_a_refusal_of_the_lab_is_shown(lab: Lab) -> None:
    """With its answer."""
    with pytest.raises(ReferenceServerError, match=r"/lab/faults answered 400 to POST: .*must not be empty"):
        lab.inject("GET", "", [Fault(status=503)])


def test_a_server_that_is_down_is_named() -> None:
    """It was stopped, or is another program."""
    with pytest.raises(ReferenceServerError, match=r"no lab answers at http://127\.0\.0\.1:1: "):
        Lab("http://127.0.0.1:1").reset()
