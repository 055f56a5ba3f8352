"""Databases: statements that reach one through its client, and clients that drop by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from pytest_agentreplay.guards.analysis.shell.call import Call
from pytest_agentreplay.guards.analysis.shell.facts import Deed
from pytest_agentreplay.guards.analysis.shell.sql_text import mongo_deeds, sql_deeds
from pytest_agentreplay.guards.analysis.shell.unknown import shown
from pytest_agentreplay.redaction.keys import words

_EMPTIES: Final = frozenset(("FLUSHALL", "FLUSHDB", "SHUTDOWN"))
_RESETS: Final = re.compile(
    r"db:(?:drop|reset|purge|wipe|schema:load|truncate_all)(?::\S+)?|migrate:(?:fresh|reset"
    r"|refresh)|db:wipe|doctrine:(?:database|schema):drop|orm:schema-tool:drop|ecto\.(?:drop"
    r"|reset)|database:drop"
)


def _sql(call: Call) -> Iterator[Deed]:
    for text in (*call.args, call.frame.stdin or ""):
        if " " in text or "\n" in text:
            for deed in sql_deeds(_statement(text)):
                yield Deed(deed.effect, deed.severity, deed.target, deed.reason, call.text)


def _statement(text: str) -> str:
    """Take off the name of an option that a statement was joined to."""
    return re.sub(r"^(?:--(?:command|execute|query|eval|sql)=|-[ceqQE](?=[A-Z]))", "", text)


def _mongo(call: Call) -> Iterator[Deed]:
    for text in (*call.args, call.frame.stdin or ""):
        for deed in mongo_deeds(text):
            yield Deed(deed.effect, deed.severity, deed.target, deed.reason, call.text)


def _redis(call: Call) -> Iterator[Deed]:
    words = [word.upper() for word in call.operands] + (call.frame.stdin or "").upper().split()
    for place, word in enumerate(words):
        if word in _EMPTIES and (place == 0 or word != "SHUTDOWN"):
            yield call.deed("db_drop", "critical", word, f"empties or stops the store by {word}")
            return
    if words[:2] == ["CONFIG", "SET"] and any(word in ("DIR", "DBFILENAME") for word in words):
        yield call.deed("persistence", "high", "redis", "makes the store write files where it is told")
    elif words[:1] in (["DEL"], ["UNLINK"]) and any("*" in word or "\x03" in word for word in words[1:]):
        yield call.deed("db_drop", "medium", "", "deletes keys that nobody can know before")
    elif words[:1] == ["EVAL"] and re.search(r"(?i)flush|'del'|\"del\"", " ".join(call.operands)):
        yield call.deed("db_drop", "high", "", "deletes keys by a script")


def _drops(call: Call) -> Iterator[Deed]:
    name = call.word(0)
    if call.program in ("mysqladmin", "mariadb-admin"):
        if "drop" in call.operands or "shutdown" in call.operands:
            yield call.deed("db_drop", "critical", call.operands[-1], "drops a database or stops the server")
    elif call.program == "rabbitmqctl":
        if name in ("reset", "force_reset", "delete_queue", "purge_queue", "delete_vhost", "delete_user", "stop_app"):
            yield call.deed("db_drop", "high", call.word(1), f"{name} throws away messages or their queue")
    elif call.program.startswith("kafka-"):
        if "--delete" in call.flags or call.program == "kafka-delete-records":
            yield call.deed("db_drop", "high", call.values.get("--topic", ""), "deletes topics or offsets")
    elif call.program == "pg_restore":
        if call.has("-c", "--clean"):
            yield call.deed("db_drop", "high", call.values.get("-d", ""), "drops what it restores")
    elif call.program == "nodetool":
        if name in ("clearsnapshot", "decommission", "removenode", "assassinate", "truncatehints"):
            yield call.deed("db_drop", "high", name, f"{name} removes data or a node")
    elif call.program in ("influx", "mongorestore", "curator"):
        if name in ("delete", "delete_indices") or "delete" in call.operands or "--drop" in call.flags:
            yield call.deed("db_drop", "high", "", "drops data")
    else:
        yield call.deed("db_drop", "critical", name, f"drops {shown(name) or 'a database'}")


def _framework(call: Call) -> Iterator[Deed]:
    """Judge the commands of frameworks that reset a database."""
    words = call.operands
    joined = " ".join(words)
    if any(_RESETS.fullmatch(word) for word in words) or (
        call.program == "prisma"
        and (
            words[:2] == ("migrate", "reset")
            or (words[:2] == ("db", "push") and call.has("--force-reset", "--accept-data-loss"))
        )
    ):
        yield call.deed("db_drop", "high", joined, "drops the application's database")
    elif (
        call.program in ("django-admin", "manage.py")
        and words[:1] in (("flush",), ("reset_db",), ("sqlflush",))
        and words[:1] != ("sqlflush",)
    ):
        yield call.deed("db_drop", "high", joined, "empties the application's database")
    elif call.program == "alembic" and words[:2] == ("downgrade", "base"):
        yield call.deed("db_drop", "high", joined, "takes back every migration")
    elif call.program in ("typeorm", "sequelize", "sequelize-cli", "knex", "drizzle-kit", "mikro-orm") and re.search(
        r"schema:drop|db:drop|schema:fresh|rollback --all|db:migrate:undo:all|drop$",
        joined + (" --all" if "--all" in call.flags else ""),
    ):
        yield call.deed("db_drop", "high", joined, "drops the application's database")


def _managed(call: Call) -> Iterator[Deed]:
    """Judge ``python manage.py flush``."""
    if call.word(0).endswith("manage.py"):
        inner = Call("manage.py", call.args[call.args.index(call.word(0)) + 1 :], call.frame)
        yield from _framework(inner)
    elif call.args[:2] == ["-m", "alembic"]:
        yield from _framework(Call("alembic", call.args[2:], call.frame))


def _migrations(call: Call) -> Iterator[Deed]:
    if call.operands[-1:] in (("clean",), ("drop-all",), ("dropAll",)) or "clean" in call.operands[:2]:
        yield call.deed("db_drop", "high", call.operands[-1], "drops every object of a database")


JUDGES: Final[dict[str, Callable[[Call], Iterator[Deed]]]] = {
    **dict.fromkeys(
        words(
            "psql pgcli mysql mycli mariadb sqlite3 sqlite sqlcmd usql isql sqlplus clickhouse-client"
            " clickhouse cqlsh cockroach trino presto beeline hive impala-shell duckdb spark-sql vsql"
            " nzsql db2 osql litecli turso wrangler-d1 rqlite steampipe"
        ),
        _sql,
    ),
    **dict.fromkeys(("flyway", "liquibase"), _migrations),
    **dict.fromkeys(("mongosh", "mongo"), _mongo),
    **dict.fromkeys(("redis-cli", "valkey-cli", "keydb-cli"), _redis),
    **dict.fromkeys(
        words(
            "dropdb dropuser mysqladmin mariadb-admin rabbitmqctl kafka-topics kafka-topics.sh"
            " kafka-consumer-groups kafka-consumer-groups.sh pg_restore nodetool influx mongorestore"
            " curator pg_dropcluster"
        ),
        _drops,
    ),
    **dict.fromkeys(
        words(
            "rails rake artisan prisma django-admin manage.py alembic typeorm sequelize sequelize-cli"
            " knex drizzle-kit mikro-orm mix"
        ),
        _framework,
    ),
    **dict.fromkeys(
        ("php", "python", "python3"),
        lambda call: (
            _framework(Call("artisan", call.args[1:], call.frame))
            if call.word(0).endswith("artisan")
            else _managed(call)
        ),
    ),
}
