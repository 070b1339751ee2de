"""Goes from an exception to those that led to it."""

from __future__ import annotations

from collections.abc import Iterator


def chain(problem: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, and those that it was made of, each once: `raise ... from` can make circles."""
    seen: set[int] = set()
    while problem is not None and id(problem) not in seen:
        seen.add(id(problem))
        yield problem
        problem = problem.__cause__ or problem.__context__
