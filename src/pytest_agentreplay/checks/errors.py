"""The one error of the check vocabulary: a check or a path that can't be understood."""

from __future__ import annotations

from typing import Any


class CheckError(ValueError):
    """A check or a path is written wrongly.

    A ValueError, so that whoever reads the document around it can add file and line.

    Attributes:
        problem: the fact, one line.
        path: where inside the check, as ``any[1].matches``; empty for the check itself.
        remedy: the one thing to do about it.
    """

    def __init__(self, problem: str, path: str = "", remedy: str = "") -> None:
        super().__init__(f"{problem}; {remedy}" if remedy else problem)
        self.problem = problem
        self.path = path
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problem, self.path, self.remedy)
