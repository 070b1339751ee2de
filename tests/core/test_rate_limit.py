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
    values = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset, **others}
    return Headers({name: str(value) for name, value in values.items()})


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"),
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
            ("Tue, 14 Nov 2023 22:14:60 GMT", 100.0),
            ("Tue Nov 14 22:14:60 2023", 100.0),
            ("2, 2", 2.0),
            ("2,10", 10.0),
            (f"{MINUTE_LATER}, {MINUTE_LATER}", 60.0),
            (f"{MINUTE_LATER}, 7", 60.0),
            ("Tuesday, 14-Nov-23 22:14:20 GMT, soon", 60.0),
        ],
    )
    def test_seconds_or_a_date(self, value: str, seconds: float) -> None:
        """RFC 9110 section 10.2.3: seconds, or a date in one of three forms; of repeated headers the longest wait."""
        assert retry_after(Headers({"Retry-After": value}), START) == seconds

    @pytest.mark.parametrize(
        "value",
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
            "Tue, 14 Nov 2023 22:14:20 CEST",
            "Tue, 14 Nov 99999 22:14:20 GMT",
        ],
    )
    def test_an_unreadable_header(self, value: str) -> None:
        """A header that cannot be parsed is ignored."""
        assert retry_after(Headers({"Retry-After": value}), START) is None

    def test_a_missing_header(self) -> None:
        """Without the header there is no wait."""
        assert retry_after(Headers({}), START) is None

    def test_a_huge_number_is_reported_as_it_is(self) -> None:
        """Whether to wait that long is for the retry policy to decide."""
        assert retry_after(Headers({"Retry-After": "9999999"}), START) == 9_999_999.0

    @pytest.mark.parametrize("skew", [-3600, 3600])
    def test_a_clock_that_is_off(self, skew: int) -> None:
        """A date is in the server's time: the wait is the difference from the answer's Date."""
        headers = Headers({"Retry-After": MINUTE_LATER, "Date": DATE})

        assert retry_after(headers, START + skew) == 60.0

    def test_a_date_a_second_ago_says_nothing(self) -> None:
        """Date has whole seconds and travels: a small difference is not clock skew."""
        assert ahead(Headers({"Date": DATE}), START + 1.0) == 0.0
        assert ahead(Headers({"Date": DATE}), START + 5.0) == -5.0
        assert ahead(Headers({"Date": "yesterday"}), START) == 0.0


class TestRateLimit:
    def test_the_window(self) -> None:
        """The three headers are a window."""
        assert RateLimit.of(window(5), START) == RateLimit(limit=60, remaining=5, reset=START + 30)

    def test_repeated_headers(self) -> None:
        """A proxy has repeated them; those that differ are ignored."""
        repeated = Headers.of_pairs([*window(5).items(), *window(5).items()])
        different = Headers.of_pairs([*window(5).items(), *window(6).items()])

        assert RateLimit.of(repeated, START) == RateLimit.of(window(5), START)
        assert RateLimit.of(different, START) is None

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
    def test_unusable_windows(self, headers: Headers) -> None:
        """Missing, unreadable and absurdly distant windows are ignored."""
        assert RateLimit.of(headers, START) is None


class Clock:
    """A monotonic clock that stands still until it is set."""

    now = 5.0

    def __call__(self) -> float:
        return self.now


class TestPacer:
    def test_no_wait_at_first(self) -> None:
        """A client that knows nothing does not wait."""
        assert Pacer(Clock()).wait_s() == 0.0

    def test_no_wait_while_something_is_left(self) -> None:
        """A window with calls left is remembered, and not waited for."""
        pacer = Pacer(Clock())

        pacer.note(window(1), START)

        assert pacer.wait_s() == 0.0
        assert pacer.latest == RateLimit(limit=60, remaining=1, reset=START + 30)

    def test_a_wait_until_just_after_the_reset(self) -> None:
        """When the window is used up, the wait lasts until the reset and 0.1 s."""
        clock = Clock()
        pacer = Pacer(clock)

        pacer.note(window(0), START)

        assert pacer.wait_s() == pytest.approx(30.1)
        clock.now = 25.0
        assert pacer.wait_s() == pytest.approx(10.1)
        clock.now = 36.0
        assert pacer.wait_s() == 0.0

    def test_the_later_of_two_windows_counts(self) -> None:
        """A window that ends sooner does not shorten the wait."""
        pacer = Pacer(Clock())

        pacer.note(window(0, int(START) + 30), START)
        pacer.note(window(0, int(START) + 1), START)

        assert pacer.wait_s() == pytest.approx(30.1)

    def test_an_answer_without_the_headers(self) -> None:
        """An answer without the headers changes nothing."""
        pacer = Pacer(Clock())

        pacer.note(window(0), START)
        pacer.note(Headers({}), START)

        assert pacer.wait_s() == pytest.approx(30.1)

    def test_a_monotonic_clock_that_goes_back_ends_the_wait(self) -> None:
        """As where a machine is restored from a snapshot: else the wait would be that of days."""
        clock = Clock()
        clock.now = 900_000.0
        pacer = Pacer(clock)

        pacer.note(window(0), START)
        clock.now = 5.0
        assert pacer.wait_s() == 0.0

        pacer.note(window(0), START)
        assert pacer.wait_s() == pytest.approx(30.1)

    def test_a_wall_clock_set_back_makes_no_wait_longer(self) -> None:
        """The wait is measured on the monotonic clock: setting the wall clock by an hour does not change it."""
        clock = Clock()
        pacer = Pacer(clock)

        pacer.note(window(0, int(START) + 1), START)
        clock.now = 5.5
        pacer.note(window(1, int(START) + 1), START - 3600)

        assert pacer.wait_s() == pytest.approx(0.6)
