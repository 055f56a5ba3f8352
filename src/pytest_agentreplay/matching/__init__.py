"""Matching: which recorded outcome answers a call."""

from pytest_agentreplay.matching.answers import AnswerBook, Call, Equivalent, Unanswered

__all__ = ["AnswerBook", "Call", "Equivalent", "Unanswered"]
