"""Retry-After, X-RateLimit-* and the pacer, as functions of headers and a clock."""

from __future__ import annotations

import pytest
from tests.core.world import START

from redcore._base.response import Headers
from redcore._call.pacer import Pacer
from redcore._wire.rate_limit import RateLimit, ahead, retry_after

DATE = "Tue, 14 Nov 2023 22:13:20 GMT"  # START
MINUTE_LATER = "Tue, 14 Nov 2023 22:14:20 GMT"


def window(remaining: object = 0, reset: object = int(START) + 30, limit: object = 60, **others: str) -> Headers:
    told = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset, **others}
    return Headers({name: str(value) for name, value in told.items()})


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("told", "seconds"),
        [
            ("0", 0.0),
            ("7", 7.0),
            (" 7 ", 7.0),
            ("0.25", 0.25),
            (MINUTE_LATER, 60.0),
            (DATE, 0.0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
            ("Tuesday, 14-Nov-23 22:14:20 GMT", 60.0),
            ("Tue Nov 14 22:14:20 2023", 60.0),
            ("2, 2", 2.0),
            ("2,10", 10.0),
            (f"{MINUTE_LATER}, {MINUTE_LATER}", 60.0),
            (f"{MINUTE_LATER}, 7", 60.0),
            ("Tuesday, 14-Nov-23 22:14:20 GMT, soon", 60.0),
        ],
    )
    def test_seconds_or_a_date(self, told: str, seconds: float) -> None:
        """RFC 9110 section 10.2.3: seconds, or a date in one of three forms; of repeated ones the longest."""
        assert retry_after(Headers({"Retry-After": told}), START) == seconds

    @pytest.mark.parametrize(
        "told",
        [
            "",
            "soon",
            "-1",
            "nan",
            "inf",
            "-inf",
            "1e999",
            "1e3",
            "1_0",
            "\u0667",
            ",",
            "0x10",
            "Tue, 99 Nov 2023",
            "Tue, 14 Nov 99999 22:14:20 GMT",
        ],
    )
    def test_what_cannot_be_understood(self, told: str) -> None:
        """A header that makes no sense is no header."""
        assert retry_after(Headers({"Retry-After": told}), START) is None

    def test_none(self) -> None:
        """Without the header there is no wait to tell."""
        assert retry_after(Headers({}), START) is None

    def test_a_huge_number_is_told_as_it_is(self) -> None:
        """Whether to wait that long is the retry policy's to decide."""
        assert retry_after(Headers({"Retry-After": "9999999"}), START) == 9_999_999.0

    @pytest.mark.parametrize("skew", [-3600, 3600])
    def test_a_clock_that_is_off(self, skew: int) -> None:
        """A date means the server's clock: the wait is what lies between it and the answer's Date."""
        headers = Headers({"Retry-After": MINUTE_LATER, "Date": DATE})

        assert retry_after(headers, START + skew) == 60.0

    def test_a_date_a_second_ago_says_nothing(self) -> None:
        """Date has whole seconds and travels: a small difference is no skew."""
        assert ahead(Headers({"Date": DATE}), START + 1.0) == 0.0
        assert ahead(Headers({"Date": DATE}), START + 5.0) == -5.0
        assert ahead(Headers({"Date": "yesterday"}), START) == 0.0


class TestRateLimit:
    def test_the_window(self) -> None:
        """The three headers are a window."""
        assert RateLimit.of(window(5), START) == RateLimit(limit=60, remaining=5, reset=START + 30)

    def test_by_the_clock_of_the_client(self) -> None:
        """The reset is moved by the difference of the clocks."""
        seen = RateLimit.of(window(5, Date=DATE), START + 3600)

        assert seen == RateLimit(limit=60, remaining=5, reset=START + 3600 + 30)

    @pytest.mark.parametrize(
        "headers",
        [
            Headers({}),
            Headers({"X-RateLimit-Remaining": "0"}),
            window("none"),
            window(reset="soon"),
            window(reset="1.5"),
            window(reset="9" * 400),
            window(reset="9" * 5000),
            window(reset=int(START) * 1000),
        ],
    )
    def test_nothing_sensible(self, headers: Headers) -> None:
        """Missing, unreadable and absurdly distant windows are no windows."""
        assert RateLimit.of(headers, START) is None


class TestPacer:
    def test_no_wait_at_first(self) -> None:
        """A client that knows nothing waits for nothing."""
        assert Pacer().wait_s(5.0) == 0.0

    def test_no_wait_while_something_is_left(self) -> None:
        """A window with room is remembered, and not waited for."""
        pacer = Pacer()

        pacer.note(window(1), START, 5.0)

        assert pacer.wait_s(5.0) == 0.0
        assert pacer.latest == RateLimit(limit=60, remaining=1, reset=START + 30)

    def test_a_wait_until_just_after_the_reset(self) -> None:
        """Used up means: until the reset and 0.1 s."""
        pacer = Pacer()

        pacer.note(window(0), START, 5.0)

        assert pacer.wait_s(5.0) == pytest.approx(30.1)
        assert pacer.wait_s(25.0) == pytest.approx(10.1)
        assert pacer.wait_s(36.0) == 0.0

    def test_the_later_of_two_windows_counts(self) -> None:
        """A window that ends sooner does not shorten the wait."""
        pacer = Pacer()

        pacer.note(window(0, int(START) + 30), START, 5.0)
        pacer.note(window(0, int(START) + 1), START, 5.0)

        assert pacer.wait_s(5.0) == pytest.approx(30.1)

    def test_nothing_is_learned_from_nothing(self) -> None:
        """An answer without the headers changes nothing."""
        pacer = Pacer()

        pacer.note(window(0), START, 5.0)
        pacer.note(Headers({}), START, 5.0)

        assert pacer.wait_s(5.0) == pytest.approx(30.1)

    def test_a_wall_clock_set_back_makes_no_wait_longer(self) -> None:
        """The wait is kept on the monotonic clock: an hour more on the wall is not waited for."""
        pacer = Pacer()

        pacer.note(window(0, int(START) + 1), START, 5.0)
        pacer.note(window(1, int(START) + 1), START - 3600, 5.5)

        assert pacer.wait_s(5.5) == pytest.approx(0.6)
