"""Remotes: which machines a shell command talks to, and what it sends there.

A table of the programs that move data, each read by its own rules of options
and operands. Nothing here judges a host or what is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pytest_agentreplay.redaction.keys import words as word_set

if TYPE_CHECKING:
    from pytest_agentreplay.guards.analysis.shell import ShellCommand, ShellFacts


class Remote(NamedTuple):
    """One machine that a command talks to.

    Attributes:
        text: the URL or host, as written.
        program: who talks to it.
        files: local files that are sent.
        data: texts that are sent, other than the URL.
        from_input: what it reads from its standard input is sent.
        lookup: only the name is sent, to a name server.
    """

    text: str
    program: str
    files: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    from_input: bool = False
    lookup: bool = False

    @property
    def sends(self) -> bool:
        """Whether anything is sent beside the request itself."""
        return bool(self.files or self.data or self.from_input)


_Reader: TypeAlias = Callable[[str, Sequence[str]], Iterator[Remote]]

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
    " dirname read local declare"
)
_CURL_VALUES: Final = word_set("-o -H -A -e -u -x -b -c -w -m -C -K -r -y -Y -z -t -E -Q -P -U")
_CURL_LONG: Final = word_set(
    "--output --header --user-agent --referer --user --proxy --cookie --cookie-jar --write-out --max-time"
    " --config --range --request --connect-timeout --retry --retry-delay --cacert --capath --cert --key --resolve"
    " --interface --limit-rate --max-redirs --netrc-file --oauth2-bearer --proto --ciphers --dns-servers"
    " --output-dir --proxy-user --unix-socket --aws-sigv4 --stderr --trace --trace-ascii --cert-type --key-type"
    " --tls-max --mail-from --mail-rcpt --socks5 --socks5-hostname --preproxy --doh-url --time-cond --range"
    " --max-filesize --noproxy --pass --connect-to --dump-header --variable --continue-at --create-file-mode"
    " --speed-limit --quote"
)
_CURL_DATA: Final = word_set(
    "-d --data --data-ascii --data-binary --data-raw --data-urlencode --json -F --form --form-string -T"
    " --upload-file --url-query"
)


class _ByText:
    """Facts, equal to all that were found in the same text."""

    __slots__ = ("facts",)

    def __init__(self, facts: ShellFacts) -> None:
        self.facts = facts

    def __hash__(self) -> int:
        return hash(self.facts.text)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _ByText)
            and self.facts.text == other.facts.text
            and self.facts.commands == other.facts.commands
        )


def remotes_of(facts: ShellFacts) -> Sequence[Remote]:
    """List the machines that a text of shell commands talks to."""
    return _remotes_of(_ByText(facts))


@lru_cache(maxsize=1024)
def _remotes_of(key: _ByText) -> Sequence[Remote]:
    facts = key.facts
    found: list[Remote] = []
    for command in facts.commands:
        program = command.program.lower().removesuffix(".exe")
        fed = command.piped_from is not None or any(redirect.operator[:1] == "<" for redirect in command.redirects)
        for remote in _READERS.get(program, _any)(program, words_of(command)[1:]):
            found.append(remote._replace(from_input=fed) if program in _RELAYS else remote)
        for redirect in command.redirects:
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


def _options(words: Sequence[str], valued: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Part words into options with their values, and operands, as ``("", operand)``."""
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            yield from (("", operand) for operand in waiting)
        elif word.startswith("--"):
            name, equals, value = word.partition("=")
            yield name, value if equals or name not in valued else next(waiting, "")
        elif word.startswith("-") and len(word) > 1:
            yield from _bundle(word, valued, waiting)
        else:
            yield "", word


def _bundle(word: str, valued: frozenset[str], waiting: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Part a bundle of short options; the first that takes a value takes the rest of it."""
    for index, letter in enumerate(word[1:], start=2):
        if f"-{letter}" in valued:
            yield f"-{letter}", word[index:] or next(waiting, "")
            return
        yield f"-{letter}", ""


def _curl(program: str, words: Sequence[str]) -> Iterator[Remote]:
    urls, files, texts, piped = [], [], [], False
    for name, value in _options(words, _CURL_VALUES | _CURL_LONG | _CURL_DATA | {"-X", "--url"}):
        if name in ("", "--url"):
            urls.append(value)
        elif name in _CURL_DATA:
            of = _curl_data(name, value)
            piped = piped or of[2]
            files += of[0]
            texts += of[1]
        elif name in ("-x", "--proxy", "--doh-url", "--preproxy"):
            urls.append(value)
    yield from (Remote(url, program, tuple(files), tuple(texts), piped) for url in urls)


def _curl_data(name: str, value: str) -> tuple[list[str], list[str], bool]:
    """Tell what one data option of curl sends: files, texts, the standard input."""
    if name in ("-T", "--upload-file"):
        source = value
    elif name in ("--data-raw", "--form-string"):
        return [], [value], False
    elif name in ("-F", "--form", "--data-urlencode", "--url-query"):
        field, mark, rest = value.partition("@")
        if not mark:
            field, mark, rest = value.partition("=<")
        if not mark or "=" in field.rstrip("="):
            return [], [value], False
        source = rest.partition(";")[0]
    elif value.startswith("@"):
        source = value[1:]
    else:
        return [], [value], False
    return ([], [], True) if source in ("-", ".") else ([source.strip('"')], [], False)


_WGET_VALUES: Final = word_set(
    "-O -o -a -P -U -e -t -T -w -i -B -Q -l -A -R -D -I -X --post-data --post-file --body-data --body-file"
    " --header --user --password --output-document --directory-prefix --user-agent --timeout --tries --method"
    " --input-file --referer --load-cookies"
)


def _wget(program: str, words: Sequence[str]) -> Iterator[Remote]:
    parsed = list(_options(words, _WGET_VALUES))
    files = tuple(value for name, value in parsed if name in ("--post-file", "--body-file"))
    texts = tuple(value for name, value in parsed if name in ("--post-data", "--body-data"))
    piped = any(file in ("-", "/dev/stdin") for file in files)
    yield from (Remote(value, program, files, texts, piped) for name, value in parsed if not name)


def _httpie(program: str, words: Sequence[str]) -> Iterator[Remote]:
    operands = [
        value for name, value in _options(words, word_set("-a --auth -A -o --output -s -p --print")) if not name
    ]
    if operands and operands[0].isalpha() and operands[0].isupper():
        operands = operands[1:]
    if operands:
        items = operands[1:]
        files = tuple(item.partition("@")[2] for item in items if re.match(r"[\w-]*(?:=|:=)?@", item))
        yield Remote(operands[0], program, files, tuple(item for item in items if "=" in item and "@" not in item))


_COPY_VALUES: Final = word_set(
    "-i -P -F -o -c -l -S -J -e -f --rsh --exclude --include --port --password-file --bwlimit -T"
)


def _copy(program: str, words: Sequence[str]) -> Iterator[Remote]:
    operands = [value for name, value in _options(words, _COPY_VALUES) if not name]
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
    parsed = list(_options(words, _NC_VALUES))
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
    operands = [value for name, value in _options(words, _SSH_VALUES) if not name]
    if operands:
        yield Remote(operands[0].rpartition("@")[2], program)


def _openssl(program: str, words: Sequence[str]) -> Iterator[Remote]:
    if words[:1] == ("s_client",):
        for option, value in pairwise(words):
            if option == "-connect":
                yield Remote(value, program, from_input=True)


def _git(program: str, words: Sequence[str]) -> Iterator[Remote]:
    verbs = [value for name, value in _options(words, frozenset(("-C", "-c", "--git-dir", "--work-tree"))) if not name]
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
    target, source = operands[-1], operands[-2]
    if _BUCKET.match(target):
        yield Remote(target, program, () if _BUCKET.match(source) else (source,), from_input=source == "-")
    elif program == "rclone" and _RCLONE.match(target) and not _RCLONE.match(source):
        yield Remote(target.partition(":")[0], program, (source,))


def _gh(program: str, words: Sequence[str]) -> Iterator[Remote]:
    if words[:2] == ("gist", "create"):
        files = tuple(
            value for name, value in _options(words[2:], frozenset(("-d", "--desc", "-f", "--filename"))) if not name
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


_DIG_NOISE: Final = re.compile(r"(?i)[+-].*|a|aaaa|any|txt|mx|ns|cname|soa|ptr|srv|caa|in|query|q")


def _lookup(program: str, words: Sequence[str]) -> Iterator[Remote]:
    for word in words:
        if not _DIG_NOISE.fullmatch(word) and not word.isdecimal():
            yield Remote(word.removeprefix("@"), program, lookup=not word.startswith("@"))


def _mail(program: str, words: Sequence[str]) -> Iterator[Remote]:
    parsed = list(_options(words, word_set("-s -a -A -c -b -r -S -q -i -f -e")))
    files = tuple(value for name, value in parsed if name in ("-a", "-A", "-q", "-i"))
    for name, value in parsed:
        if name in ("", "-c", "-b") and "@" in value:
            yield Remote(value.rpartition("@")[2], program, files, (), from_input=True)


_READERS: Final[Mapping[str, _Reader]] = (
    {"curl": _curl, "wget": _wget, "wget2": _wget, "openssl": _openssl, "git": _git, "gh": _gh, "socat": _socat}
    | dict.fromkeys(("http", "https", "xh", "xhs", "httpie"), _httpie)
    | dict.fromkeys(("scp", "rsync", "pscp"), _copy)
    | dict.fromkeys(("nc", "ncat", "netcat", "nc.traditional", "nc.openbsd"), _netcat)
    | dict.fromkeys(("ssh", "sftp", "telnet", "ftp", "tftp", "lftp", "mosh", "autossh", "sshpass"), _first_operand)
    | dict.fromkeys(("aws", "gsutil", "gcloud", "rclone", "s3cmd", "azcopy", "mc", "s5cmd"), _bucket)
    | dict.fromkeys(
        ("dig", "nslookup", "host", "drill", "kdig", "resolvectl", "getent", "ping", "ping6", "traceroute"), _lookup
    )
    | dict.fromkeys(("mail", "mailx", "mutt", "sendmail", "swaks", "msmtp"), _mail)
)
