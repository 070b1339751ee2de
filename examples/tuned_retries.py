"""Retries for an interactive program: it gives up after four seconds, and says why."""

from tenacity import stop_after_attempt, stop_after_delay, wait_random_exponential

from redcore import Client, RedcoreError, Retry

POLICY = Retry(
    stop=stop_after_attempt(4) | stop_after_delay(4),
    wait=wait_random_exponential(multiplier=0.2, max=1),
)


def main() -> None:
    with Client(retry=POLICY, timeout=2, deadline=5) as client:
        try:
            print(client.users.get_me().email)
        except RedcoreError as error:
            print(error)
            for attempt in error.attempts:
                print(attempt.number, attempt.status_code, attempt.stopped)


if __name__ == "__main__":
    main()
