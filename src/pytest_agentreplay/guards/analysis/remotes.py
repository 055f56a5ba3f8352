"""Remotes: which machines a shell command talks to, and what it sends there.

A table of the programs that move data, each read by its own rules of options
and operands. Nothing here judges a host or what is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pytest_agentreplay.guards.analysis.http_clients import HTTP_CLIENTS
from pytest_agentreplay.guards.analysis.remote import Reader, Remote, options
from pytest_agentreplay.redaction.keys import words as word_set

if TYPE_CHECKING:
    from pytest_agentreplay.guards.analysis.shell import ShellCommand, ShellFacts


UNKNOWN: Final = "\0"
"""Stands in a word for what nobody can know before the command runs."""

_RELAYS: Final = word_set(
    "nc ncat netcat nc.traditional nc.openbsd socat openssl mail mailx mutt sendmail swaks msmtp telnet ssh"
)
"""Programs that send what they read, where they read something that isn't typed."""

RUNNERS: Final = word_set(
    "bash sh dash zsh ksh ash fish busybox eval exec sudo doas su env xargs parallel nohup time timeout nice ionice"
    " setsid stdbuf watch command"
    " builtin script expect flock chroot unshare nsenter runuser systemd-run entr trap"
)
"""Programs that run what their words say; that is listed as a command of its own."""

_DEV_NET: Final = re.compile(r"/dev/(?:tcp|udp)/([^/\s'\"]+)/(\w+)")
_URL: Final = re.compile(r"(?i)(?:[a-z][a-z0-9+.-]*:[/\\]{1,4}|https?:)\S")
_REMOTE_PATH: Final = re.compile(
    r"(?:[\w.+-]+@)?(\[[0-9a-fA-F:]+\]|[\w-]+(?:\.[\w-]+)+|[\w-]{2,}):(?!//|\\)(?!:)|rsync://"
)
_WITH_USER: Final = re.compile(r"[\w.+-]+@[\w.-]+:")
_QUIET: Final = word_set(
    "echo printf grep egrep fgrep rg ag ack sed awk gawk jq yq test [ [[ true : export set alias logger man tldr"
    " cat less head tail touch mkdir ls cd rm mv cp find vim vi nano code sort cut tr wc diff commit basename"
    " dirname read local declare ip iptables ip6tables nft ufw firewall-cmd route ifconfig"
)


@lru_cache(maxsize=512)
def remotes_of(facts: ShellFacts) -> Sequence[Remote]:
    """List the machines that a text of shell commands talks to."""
    found: list[Remote] = []
    for command in facts.commands:
        program = command.program.lower().removesuffix(".exe")
        fed = command.piped_from is not None or any(redirect.operator[:1] == "<" for redirect in command.redirects)
        read = tuple(
            redirect.target
            for redirect in command.redirects
            if redirect.operator == "<" and redirect.target and redirect.target != "/dev/null"
        )
        for remote in _READERS.get(program, _any)(program, words_of(command)[1:]):
            found.append(remote._replace(from_input=fed, files=remote.files + read) if program in _RELAYS else remote)
        for redirect in command.redirects:
            if redirect.operator == "<<<" and program not in _QUIET and _URL.match(redirect.target or ""):
                found.append(Remote(redirect.target or "", program))
            if device := _DEV_NET.search(redirect.target or ""):
                found.append(Remote(f"{device[1]}:{device[2]}", "bash", from_input=True))
    return found


def words_of(command: ShellCommand) -> tuple[str, ...]:
    """Give a command's words, with `UNKNOWN` for those that nobody can know."""
    return tuple([UNKNOWN if word is None else word for word in command.argv])


def is_silent(program: str) -> bool:
    """Tell whether a program talks to no other machine but where `remotes_of` says so."""
    return program in _QUIET or program in _READERS or program in RUNNERS


def _any(program: str, words: Sequence[str]) -> Iterator[Remote]:
    if program in _QUIET:
        return
    for word in words:
        value = word.partition("=")[2] if word.startswith("-") else word
        if _URL.match(value):
            yield Remote(value, program)
        for device in _DEV_NET.finditer(word):
            yield Remote(f"{device[1]}:{device[2]}", program, from_input=True)


_COPY_VALUES: Final = word_set(
    "-i -P -F -o -c -l -S -J -e -f --rsh --exclude --include --port --password-file --bwlimit -T"
)


def _copy(program: str, words: Sequence[str]) -> Iterator[Remote]:
    operands = [value for name, value in options(words, _COPY_VALUES) if not name]
    for operand in operands:
        if not _is_remote_path(operand):
            continue
        is_target = operand is operands[-1] and len(operands) > 1
        files = tuple(source for source in operands[:-1] if not _is_remote_path(source)) if is_target else ()
        host = operand.partition("://")[2].partition("/")[0] if "://" in operand else operand.partition(":")[0]
        yield Remote(host.rpartition("@")[2], program, files)


def _is_remote_path(operand: str) -> bool:
    if "://" in operand or _WITH_USER.match(operand):
        return True
    found = _REMOTE_PATH.match(operand)
    return found is not None and "/" not in operand[: found.end()]


_NC_VALUES: Final = word_set("-e -c -p -s -w -i -q -x -X -T -I -O -m -o --exec --sh-exec --proxy")


def _netcat(program: str, words: Sequence[str]) -> Iterator[Remote]:
    parsed = list(options(words, _NC_VALUES))
    names = {name for name, _ in parsed}
    operands = [value for name, value in parsed if not name]
    if operands and not names & {"-l", "-z", "--listen"}:
        port = f":{operands[1]}" if len(operands) > 1 and operands[1].isdecimal() else ""
        yield Remote(operands[0] + port, program, from_input=True)


_SOCAT: Final = re.compile(
    r"(?i)(?:tcp|udp|openssl|ssl|tcp4|tcp6|udp4|sctp)(?:-connect)?[46]?:([^,\s:]+|\[[^\]]+\]):(\w+)"
)

_SOCAT_FILE: Final = re.compile(r"(?i)(?:file|open|gopen):([^,]+)")


def _socat(program: str, words: Sequence[str]) -> Iterator[Remote]:
    files = tuple(found[1] for word in words if (found := _SOCAT_FILE.match(word)))
    for word in words:
        if address := _SOCAT.match(word):
            yield Remote(f"{address[1]}:{address[2]}", program, files, from_input=True)


_SSH_VALUES: Final = word_set("-b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w")


def _first_operand(program: str, words: Sequence[str]) -> Iterator[Remote]:
    operands = [value for name, value in options(words, _SSH_VALUES) if not name]
    if operands:
        yield Remote(operands[0].rpartition("@")[2], program)


_PUT: Final = re.compile(r"\b(?:m?put|mirror -R)\s+(?:-\S+\s+)*([^\s;]+)")


def _ftp(program: str, words: Sequence[str]) -> Iterator[Remote]:
    files = tuple(found[1] for word in words for found in _PUT.finditer(word))
    parsed = options(words, word_set("-e -c -u -p -P"))
    yield from (Remote(value.rpartition("@")[2], program, files) for name, value in parsed if not name)


def _openssl(program: str, words: Sequence[str]) -> Iterator[Remote]:
    if words[:1] == ("s_client",):
        for option, value in pairwise(words):
            if option == "-connect":
                yield Remote(value, program, from_input=True)


def _git(program: str, words: Sequence[str]) -> Iterator[Remote]:
    verbs = [value for name, value in options(words, frozenset(("-C", "-c", "--git-dir", "--work-tree"))) if not name]
    if not verbs or verbs[0] not in (
        "push",
        "clone",
        "fetch",
        "pull",
        "remote",
        "ls-remote",
        "submodule",
        "archive",
        "bundle",
    ):
        return
    for word in verbs[1:]:
        if _URL.match(word) or _WITH_USER.match(word):
            yield Remote(word, program, ("the repository",) if verbs[0] == "push" else ())


_BUCKET: Final = re.compile(r"(?i)(?:s3|gs|gcs|az|b2|oss|cos)://|https://[\w-]+\.blob\.core\.windows\.net")
_RCLONE: Final = re.compile(r"[\w-]{2,}:")


def _bucket(program: str, words: Sequence[str]) -> Iterator[Remote]:
    operands = [word for word in words if not word.startswith("-")]
    if program == "rclone":
        operands = operands[1:]
    if len(operands) < 2:
        return
    last = max(
        (index for index, word in enumerate(operands) if index and _BUCKET.match(word)), default=len(operands) - 1
    )
    target, source = operands[last], operands[last - 1]
    if _BUCKET.match(target):
        yield Remote(target, program, () if _BUCKET.match(source) else (source,), from_input=source == "-")
    elif program == "rclone" and _RCLONE.match(target) and not _RCLONE.match(source):
        yield Remote(target.partition(":")[0], program, (source,))


def _gh(program: str, words: Sequence[str]) -> Iterator[Remote]:
    if words[:2] == ("gist", "create"):
        files = tuple(
            value for name, value in options(words[2:], frozenset(("-d", "--desc", "-f", "--filename"))) if not name
        )
        yield Remote(
            "https://gist.github.com",
            program,
            tuple(file for file in files if file != "-"),
            (),
            not files or "-" in files,
        )
    else:
        yield from _any(program, words)


_HOST_LIKE: Final = re.compile(r"(?:[\w-]+\.)+[\w-]{2,}(?:[:/]\S*)?|//[\w.-]+/\S*")


def _browser(program: str, words: Sequence[str]) -> Iterator[Remote]:
    for word in words:
        if _URL.match(word) or _HOST_LIKE.fullmatch(word):
            yield Remote(word, program)


def _azure(program: str, words: Sequence[str]) -> Iterator[Remote]:
    if words[:3] == ("storage", "blob", "upload") or words[:3] == ("storage", "blob", "upload-batch"):
        files = tuple(value for option, value in pairwise(words) if option in ("-f", "--file", "-s", "--source"))
        yield Remote("https://blob.core.windows.net", program, files)
    else:
        yield from _any(program, words)


_DIG_NOISE: Final = re.compile(r"(?i)[+-].*|a|aaaa|any|txt|mx|ns|cname|soa|ptr|srv|caa|in|query|q")


def _lookup(program: str, words: Sequence[str]) -> Iterator[Remote]:
    for word in words:
        if not _DIG_NOISE.fullmatch(word) and not word.isdecimal():
            yield Remote(word.removeprefix("@"), program, lookup=not word.startswith("@"))


def _mail(program: str, words: Sequence[str]) -> Iterator[Remote]:
    parsed = list(options(words, word_set("-s -a -A -c -b -r -S -q -i -f -e")))
    files = tuple(value for name, value in parsed if name in ("-a", "-A", "-q", "-i"))
    for name, value in parsed:
        if name in ("", "-c", "-b") and "@" in value:
            yield Remote(value.rpartition("@")[2], program, files, (), from_input=True)


_READERS: Final[Mapping[str, Reader]] = (
    {"openssl": _openssl, "git": _git, "gh": _gh, "socat": _socat}
    | HTTP_CLIENTS
    | dict.fromkeys(("scp", "rsync", "pscp"), _copy)
    | dict.fromkeys(("nc", "ncat", "netcat", "nc.traditional", "nc.openbsd"), _netcat)
    | dict.fromkeys(("ssh", "sftp", "telnet", "mosh", "autossh", "sshpass"), _first_operand)
    | dict.fromkeys(("aws", "gsutil", "gcloud", "rclone", "s3cmd", "azcopy", "mc", "s5cmd"), _bucket)
    | dict.fromkeys(
        (
            "dig",
            "nslookup",
            "host",
            "drill",
            "kdig",
            "resolvectl",
            "resolve-dnsname",
            "getent",
            "ping",
            "ping6",
            "traceroute",
        ),
        _lookup,
    )
    | dict.fromkeys(("lynx", "links", "elinks", "w3m", "xdg-open", "smbclient"), _browser)
    | {"az": _azure, "ftp": _ftp, "tftp": _ftp, "lftp": _ftp}
    | dict.fromkeys(("mail", "mailx", "mutt", "sendmail", "swaks", "msmtp"), _mail)
)
