"""SQL and the commands of other databases: statements that drop, empty or rewrite data.

Comments are skipped and texts are blanked before statements are parted, so that
a value which mentions a statement is none. Nothing here connects to anything.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from pytest_agentreplay.guards.analysis.screens import Screens
from pytest_agentreplay.guards.analysis.shell.facts import Deed
from pytest_agentreplay.guards.analysis.shell.unknown import shown
from pytest_agentreplay.trace import Severity

SCREEN: Final = re.compile(
    r"(?i)\b(?:drop|truncate|delete|update|alter|grant|purge|copy|load_file|outfile|xp_cmdshell"
    r"|flushall|flushdb|xp_\w+|sys_exec|sys_eval)\b"
)


@cache
def _screen() -> Screens:
    return Screens([[(SCREEN.pattern, 1)]])


_COMMENT: Final = re.compile(r"/\*(?!!)[^*]*(?:\*(?!/)[^*]*)*\*/|--[^\n]*|(?<=\s)#[^\n]*")
_TEXT: Final = re.compile(r"'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_NAME: Final = r"((?:[\w$.@*\x00-\x03-]|\"[^\"]*\"|`[^`]*`|\[[^\]]*\])++)"
_PATTERNS: Final[tuple[tuple[str, Severity, str], ...]] = (
    (
        rf"DROP\s+(?:DATABASE|SCHEMA|KEYSPACE|CATALOG|TABLESPACE)\s+(?:IF\s+EXISTS\s+)?{_NAME}",
        "critical",
        "drops the database {0}",
    ),
    (
        rf"DROP\s+(?:EXTERNAL\s+|FOREIGN\s+|TEMP(?:ORARY)?\s+)?TABLES?\s+(?:IF\s+EXISTS\s+)?{_NAME}",
        "high",
        "drops the table {0}",
    ),
    (
        rf"DROP\s+(?:MATERIALIZED\s+VIEW|COLLECTION|BUCKET|STREAM|SERIES|MEASUREMENT|OWNED\s+BY|USER|ROLE|SEQUENCE|TYPE)\s+(?:IF\s+EXISTS\s+)?{_NAME}",
        "high",
        "drops {0}",
    ),
    (
        rf"DROP\s+(?:INDEX|VIEW|FUNCTION|PROCEDURE|TRIGGER|POLICY|EXTENSION)\s+(?:CONCURRENTLY\s+)?(?:IF\s+EXISTS\s+)?{_NAME}",
        "medium",
        "drops {0}",
    ),
    (rf"TRUNCATE\s+(?:TABLE\s+)?(?:ONLY\s+)?{_NAME}(?!\s*\()", "high", "empties the table {0}"),
    (
        rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?{_NAME}.*?\bDROP\s+(?:COLUMN|PARTITION)\b",
        "high",
        "drops part of the table {0}",
    ),
    (r"(COPY)\b.*?\b(?:TO|FROM)\s+PROGRAM\b", "critical", "runs a program from within the database"),
    (
        r"(?:EXEC(?:UTE)?\s+)?(?:master\W+)?(xp_cmdshell|sys_exec|sys_eval)\b",
        "critical",
        "runs a program from within the database by {0}",
    ),
    (r".*\bINTO\s+(OUTFILE|DUMPFILE)\b", "high", "writes a file from within the database"),
    (rf"GRANT\s+ALL\b.*?\bTO\s+{_NAME}", "medium", "grants all rights to {0}"),
    (rf"PURGE\s+(?:BINARY\s+LOGS|RECYCLEBIN|TABLE)\s*{_NAME}?", "high", "purges what data could be restored from"),
    (r"(FLUSHALL|FLUSHDB)\b", "critical", "empties the store by {0}"),
)
_RULES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), severity, reason) for pattern, severity, reason in _PATTERNS
)
_UNFILTERED: Final = (
    (re.compile(rf"DELETE\s+FROM\s+(?:ONLY\s+)?{_NAME}", re.IGNORECASE), "deletes every row of {0}"),
    (re.compile(rf"UPDATE\s+(?:ONLY\s+)?{_NAME}\s+SET\b", re.IGNORECASE), "changes every row of {0}"),
)
_WHERE: Final = re.compile(
    r"\bWHERE\b(?!\s*(?:1\s*=\s*1|true|''\s*=\s*''|1)\s*(?:;|$|OR\b|RETURNING\b))|\bLIMIT\s+\d{1,3}\b", re.IGNORECASE
)
_EXPLAINS: Final = re.compile(r"\s*EXPLAIN(?!\s+\(?ANALY)", re.IGNORECASE)
_BEGINS: Final = re.compile(
    r"(?:^|\b(?:BEGIN|THEN|ELSE|LOOP|DO|EXECUTE|IMMEDIATE|ANALYZE|EXEC)\b\s*'?|[()'\n>])\s*"
    r"(?=(?:DROP|TRUNCATE|ALTER|DELETE|UPDATE|COPY|EXEC|GRANT|PURGE|SELECT|FLUSHALL|FLUSHDB"
    r"|master|xp_cmdshell|sys_exec)\b)",
    re.IGNORECASE,
)
_LONGEST: Final = 4000
_MOST: Final = 500
_VERBS: Final = re.compile(
    r"\s*(?:/\*.*?\*/\s*|--[^\n]*\n\s*)*(?:SELECT|INSERT|UPDATE|DELETE|DROP|TRUNCATE|ALTER|CREATE"
    r"|GRANT|REVOKE|WITH|BEGIN|EXPLAIN|MERGE|REPLACE|COPY|EXEC|CALL|USE|SET|SHOW|PRAGMA)\b",
    re.IGNORECASE | re.DOTALL,
)
_MONGO: Final[tuple[tuple[re.Pattern[str], Severity, str], ...]] = (
    (re.compile(r"\bdropDatabase\s*\("), "critical", "drops the database"),
    (re.compile(r"\.drop\s*\(\s*\)"), "high", "drops a collection"),
    (re.compile(r"\.(?:deleteMany|remove)\s*\(\s*(?:\{\s*\})?\s*\)"), "high", "deletes every document of a collection"),
    (re.compile(r"\.updateMany\s*\(\s*\{\s*\}"), "medium", "changes every document of a collection"),
    (re.compile(r"\bdropUser|dropAllUsers|\.shutdownServer\s*\("), "high", "drops users or stops the server"),
)


@lru_cache(maxsize=1024)
def sql_deeds(text: str) -> tuple[Deed, ...]:
    """List what the statements in a text destroy."""
    if not (_screen().bits(text) if text.isascii() else SCREEN.search(text)):
        return ()
    deeds: dict[Deed, None] = {}
    plain = _TEXT.sub("''", _COMMENT.sub(" ", text))
    for statement in plain.split(";")[:_MOST]:
        if not _EXPLAINS.match(statement):
            for place in _BEGINS.finditer(statement[:_LONGEST]):
                deeds.update(dict.fromkeys(_of_statement(statement[place.end() : place.end() + _LONGEST])))
    return tuple(deeds)


def _of_statement(body: str) -> list[Deed]:
    for pattern, severity, reason in _RULES:
        if found := pattern.match(body):
            name = shown((found[1] or "").strip('"`[]'))
            return [Deed("db_drop", severity, name, reason.format(name), shown(body[:120]))]
    for pattern, reason in _UNFILTERED:
        if (found := pattern.match(body)) and not _WHERE.search(body):
            name = shown(found[1].strip('"`[]'))
            return [Deed("db_drop", "high", name, reason.format(name), shown(body[:120]))]
    return []


def mongo_deeds(text: str) -> list[Deed]:
    """List what a script for MongoDB destroys."""
    return [
        Deed("db_drop", severity, "", reason, shown(text[:120]))
        for pattern, severity, reason in _MONGO
        if pattern.search(text)
    ]


def is_sql(text: str) -> bool:
    """Tell whether a text begins as SQL does."""
    return _VERBS.match(text) is not None
