"""Uploads: commands that send what is on this machine to another one, by how much is at stake.

A push to `origin` or a copy to a named server is daily work and told at low
severity; what is piped, computed or sent to a bare address is not. Nothing
here knows which hosts are allowed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pytest_agentreplay.guards.analysis.paths import resolve
from pytest_agentreplay.guards.analysis.remote import Remote
from pytest_agentreplay.guards.analysis.remotes import UNKNOWN, remotes_of, words_of
from pytest_agentreplay.guards.analysis.urls import UrlFact, parse_url
from pytest_agentreplay.guards.packs.egress.payloads import data_in_host
from pytest_agentreplay.guards.rules import Objection
from pytest_agentreplay.redaction.keys import words as word_set

if TYPE_CHECKING:
    from pytest_agentreplay.guards.analysis.shell import ShellCommand, ShellFacts
    from pytest_agentreplay.trace import Severity

_REVEALING: Final = word_set(
    "base64 base32 xxd od hexdump env printenv set tar gzip bzip2 xz zip openssl gpg history whoami id ifconfig"
    " ps netstat ss mysqldump pg_dump sqlite3 crontab last lsof arp route"
)
_READING: Final = word_set(
    "cat head tail strings grep sed awk cut tr sort hostname uname ip ls find kubectl docker aws gcloud git dd w"
    " df mount"
)
_SENSITIVE: Final = re.compile(
    r"^(?:/|~|/etc(?:/passwd.*|/hosts|/?)?|/var/(?:log|lib|backups?)(?:/.*)?|/home(?:/[^/]*)?|/root|/proc/.*"
    r"|.*_history|.*\.(?:sql|dump|sqlite3?|db|mdb|bak|kdbx)(?:\.\w+)?"
    r"|.*(?:customers?|users?|employees?|payroll|salar\w+|patients?|backup|database|confidential|passwords?|secrets?"
    r"|tokens?)[\w.-]*\.\w+|\.git|\.)$",
    re.IGNORECASE,
)
_SECRET_VARIABLE: Final = re.compile(r"\$\{?\w*(?:SECRET|TOKEN|PASSW|_KEY|APIKEY|CREDENTIAL|PRIVATE)\w*", re.IGNORECASE)
_SUBSTITUTED: Final = re.compile(r"\$\(|`|<\(")
_HEADERS: Final = re.compile(r"""(?:-H|--header|-u|--user|--oauth2-bearer)[ =]?\s*(?:"[^"]*"|'[^']*'|\S+)""")
_COMPUTED_NAME: Final = re.compile(r"(?:\$\([^()]*\)|`[^`]*`)\.[\w-]")
_LOOPED: Final = re.compile(r"\bwhile\s+(?:IFS=\S*\s+)?read\b|\bfor\s+\w+\s+in\b")
_BUCKETS: Final = word_set("s3 gs gcs az b2 oss cos")
_DOCUMENT: Final = re.compile(
    r"(?i)(?:~|\.\./|/(?!tmp/|dev/))|.*\.(?:csv|tsv|xlsx?|docx?|pdf|pptx?|odt|ods|zip|tar|tgz|gz|7z|rar|eml|mbox|pst|pcap|parquet)$"
)
_HANDOVERS: Final = word_set("croc wormhole magic-wormhole ffsend onionshare-cli wormhole-william webwormhole ww")
_TUNNELS: Final = word_set(
    "ngrok cloudflared localtunnel lt bore tunnelto zrok pinggy expose telebit inlets frpc localxpose loclx"
)
_OPENING: Final = word_set("http https tcp tls tunnel --url --port -p share local start access host client -c")
_POSTERS: Final = word_set("curl wget wget2 http https xh xhs httpie lftp ftp tftp")
_FORGES: Final = word_set("github.com gitlab.com bitbucket.org codeberg.org ssh.dev.azure.com dev.azure.com git.sr.ht")
_ASKED_WHO: Final = re.compile(r"://[^\s'\"]*(?:\$\(|`)\s*(?:whoami|id|hostname|logname|pwd)\b")
_TRUSTED_ENDS: Final = word_set("ssh mail mailx openssl git gh")
"""Programs whose other end the user has an account on."""


@lru_cache(maxsize=512)
def upload_objection(facts: ShellFacts) -> Objection | None:
    """Give what there is against what the commands of one argument send."""
    worst = next((found for command in facts.commands if (found := _handed_over(command))), None)
    for remote in remotes_of(facts):
        if remote.lookup:
            continue
        target = parse_url(facts.source, remote.text.replace(UNKNOWN, "x"), whole=True)
        if target is not None and target.local and target.scheme not in _BUCKETS and not target.metadata:
            continue
        objection = _of_one(remote, target, facts)
        if objection is not None and (worst is None or _RANK[objection.severity or ""] > _RANK[worst.severity or ""]):
            worst = objection
    return worst


_RANK: Final = {"": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}


def _of_one(remote: Remote, target: UrlFact | None, facts: ShellFacts) -> Objection | None:
    where = target.host if target is not None else remote.text[:80]
    if (severity := _computed(remote, facts)) is not None:
        return Objection(f"{remote.program} sends what other commands put out to {where}", severity=severity)
    if not remote.sends:
        return None
    bare = target is not None and target.address
    sensitive = next((file for file in remote.files if _SENSITIVE.match(resolve(file))), None)
    if sensitive is not None and remote.program not in ("git",):
        return Objection(
            f"{remote.program} sends {sensitive} to {where}",
            severity="high" if bare or not _is_copy(remote) else "medium",
        )
    if remote.program == "git" and remote.files and target is not None and target.host not in _FORGES:
        return Objection(f"git pushes to {where}, spelled out", severity="medium")
    if bare and (remote.files or remote.from_input):
        return Objection(f"{remote.program} sends data to {where}, a bare address", severity="high")
    if remote.from_input:
        return _fed(remote, where, facts)
    document = next((file for file in remote.files if _DOCUMENT.match(file)), None)
    if document is not None and remote.program in _POSTERS:
        return Objection(f"{remote.program} sends {document} to {where}", severity="medium")
    if remote.files:
        return Objection(f"{remote.program} sends {remote.files[0]} to {where}", severity="low")
    return None


def _handed_over(command: ShellCommand) -> Objection | None:
    """Give what there is against programs that send files to whoever knows a code, or open this machine to anybody."""
    words = words_of(command)
    program = command.program.lower()
    if program in ("npx", "bunx", "pnpx", "uvx") and len(words) > 1:
        operands = [word for word in words[1:] if not word.startswith("-")] or [""]
        program, words = operands[0], (operands[0], *words[1:])
    if program in _HANDOVERS and "send" in words[1:3]:
        return Objection(f"{program} hands files to whoever knows a code")
    if program in _TUNNELS and not _OPENING.isdisjoint(words[1:]):
        return Objection(f"{program} opens this machine to anybody", severity="medium")
    return None


def lookup_severity(name: str, facts: ShellFacts) -> Severity | None:
    """Tell how grave a look-up is: names are the channel that every firewall lets through."""
    if data_in_host(name) or _COMPUTED_NAME.search(facts.text):
        return "high"
    if UNKNOWN not in name.rpartition(".")[0]:
        return None
    return "high" if _shown_programs(facts) & (_REVEALING | _READING) else "low"


def _shown_programs(facts: ShellFacts) -> set[str]:
    """Name the programs whose output may be in a command's words."""
    if not (_SUBSTITUTED.search(facts.text) or _LOOPED.search(facts.text)):
        return set()
    return {_shown(command) for command in facts.commands}


def _fed(remote: Remote, where: str, facts: ShellFacts) -> Objection:
    if _is_copy(remote) or remote.program in _TRUSTED_ENDS:
        return Objection(f"{remote.program} sends its input to {where}", severity="low")
    sources = [command.program for command in facts.commands if command.piped_into is not None]
    gathered = [program for program in sources if program in _REVEALING or program in _READING]
    if gathered:
        return Objection(f"{remote.program} sends what {gathered[0]} puts out to {where}", severity="high")
    return Objection(f"{remote.program} sends its input to {where}", severity="medium")


def _shown(command: ShellCommand) -> str:
    """Name a command by its program; `env` and `set` put something out only where they run and set nothing."""
    return "" if command.program in ("env", "set") and len(command.argv) > 1 else command.program


def _is_copy(remote: Remote) -> bool:
    """Tell programs that copy between machines that somebody has accounts on from those that post to anybody."""
    return remote.program in (
        "scp",
        "rsync",
        "aws",
        "gsutil",
        "gcloud",
        "rclone",
        "s3cmd",
        "azcopy",
        "mc",
        "s5cmd",
        "sftp",
    )


def _computed(remote: Remote, facts: ShellFacts) -> Severity | None:
    """Tell how grave it is that a URL or a body is known only when the command runs; None where it is all known."""
    path, _, query = remote.text.partition("://")[2].partition("?")
    in_query = UNKNOWN in query or any(UNKNOWN in text for text in remote.data)
    if _ASKED_WHO.search(facts.text):  # a shell's own answer may be known before it runs, and is sent all the same
        return "high"
    if not in_query and UNKNOWN not in path:
        return None
    if _SECRET_VARIABLE.search(_HEADERS.sub("", facts.text)):
        return "medium"
    programs = _shown_programs(facts)
    if programs & _REVEALING:
        return "high"
    return ("high" if UNKNOWN in query else "medium") if in_query and programs & _READING else None
