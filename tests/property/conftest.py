"""Hypothesis draws the same examples in every run: a failure on one machine is a failure on all."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("redcore", max_examples=100, derandomize=True, deadline=None, database=None)
settings.load_profile("redcore")
