"""Commands and the files of secrets: which programs show or send what is in a file, and which only use it.

``ssh -i KEY`` and ``chmod 600 KEY`` are anybody's daily work; ``cat KEY`` and
``scp KEY host:`` are not. Nothing here knows which files hold secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pytest_agentreplay.guards.analysis.paths import command_paths, resolve
from pytest_agentreplay.guards.analysis.remotes import RUNNERS, remotes_of, words_of
from pytest_agentreplay.guards.analysis.secrets import looks_secret
from pytest_agentreplay.guards.analysis.signals import may_lead_to_place
from pytest_agentreplay.guards.packs.secrets.places import LOGINS, Place, secret_place
from pytest_agentreplay.guards.packs.secrets.stores import prints_stored, shows_environment
from pytest_agentreplay.guards.packs.secrets.tokens import token_objection
from pytest_agentreplay.guards.rules import Objection
from pytest_agentreplay.redaction.keys import words as word_set

if TYPE_CHECKING:
    from pytest_agentreplay.guards.analysis.shell import ShellCommand, ShellFacts

_USERS: Final = word_set(
    "ls ll dir stat chmod chown chgrp test [ [[ mkdir touch rm unlink file find fd fdfind du tree readlink"
    " realpath ssh ssh-keygen ssh-add ssh-copy-id ssh-agent ssh-keyscan autossh mosh sftp gpg gpg2 age sops"
    " kubectl helm k9s docker docker-compose podman nerdctl ansible ansible-playbook ansible-vault terraform tofu"
    " terragrunt aws gcloud az doctl git hub gh source . export set unset cd pushd echo printf true : man which"
    " type vim vi nvim nano emacs code subl open npm yarn pnpm pip twine cargo dotenv direnv op pass vault keytool"
    " certbot openssl certtool mkcert step systemctl service shred wipe srm trash md5sum sha1sum sha256sum"
    " sha512sum wc touch install restorecon getfacl setfacl lsattr chattr inotifywait watch rmdir basename dirname"
    " mysql psql pg_dump mysqldump uvicorn gunicorn flask node deno bun make just poetry uv act nginx httpd caddy"
    " stunnel haproxy traefik wg wg-quick openvpn nmcli mitmproxy http-server serve logger tldr alias env"
)
_DUMPERS: Final = word_set(
    "cat tac head tail less more most bat batcat nl od xxd hexdump hd strings base64 base32 basenc uuencode gzip"
    " bzip2 xz zstd zip 7z 7za rar tar bsdtar cpio ar dd cp mv rsync scp grep egrep fgrep rg ag ack awk gawk mawk"
    " sed cut paste sort uniq tr fold fmt column rev diff cmp comm join split csplit jq yq xq tee install ln xargs"
    " look ed ex python python3 perl ruby php node curl wget nc ncat socat xclip pbcopy xsel wl-copy clip gist"
    " type get-content gc copy-item select-string copy xcopy robocopy certutil mutt mail busybox zcat pv iconv"
    " shuf"
)
_LAST_IS_TARGET: Final = word_set("cp mv rsync scp install ln copy copy-item")
_FIRST_IS_PATTERN: Final = word_set(
    "grep egrep fgrep rg ag ack awk gawk mawk sed gsed perl jq yq select-string git-grep"
)
_GREPS: Final = word_set("grep egrep fgrep rg ag ack")
_TELLING: Final = re.compile(r"-[a-zA-Z]*[cqlL][a-zA-Z]*|--(?:count|quiet|silent|files-with(?:out)?-match(?:es)?)")
_INTERPRETERS: Final = word_set("python python2 python3 perl ruby php node deno bun lua osascript powershell pwsh")
_LITERAL: Final = re.compile(r"""["'`]([^"'`\n]{2,300})["'`]""")
_SUBCOMMAND_READS: Final = frozenset(("enc", "base64"))
_COPIERS: Final = word_set("docker podman nerdctl kubectl oc lxc")
_REDIRECTED: Final = re.compile(r"(?:\bdone|\}|\)|\bfi)\s*<\s*([^\s<>&|;()\"']{2,300})|\$\(\s*<\s*([^)\s]{2,300})\)")
_WINDOWS: Final = re.compile(
    r"(?i)\b(?:type|more|get-content|gc|cat|copy|copy-item|xcopy|robocopy|select-string|findstr|certutil|curl|iwr|invoke-webrequest)\b"
    r"[^|;&\n]{0,120}?((?:[a-z]:|\$home|\$env:\w+|%\w+%|~)\\[^\s\"'|<>;]{2,200})"
)
_HIVES: Final = re.compile(r"(?i)\breg(?:\.exe)? save hk(?:lm|ey_local_machine)\\(?:sam|security|system)\b")


@lru_cache(maxsize=512)
def command_objection(facts: ShellFacts) -> Objection | None:
    """Give what there is against the commands of one argument."""
    found = _sent(facts)
    leads = may_lead_to_place([word for command in facts.commands for word in _written(command)])
    for command in facts.commands if found is None else ():
        objection = (
            _of_one(facts.source, facts.text, command)
            if leads and _may_lead(command)
            else _printing(command, facts.text)
        )
        if objection is not None and objection.severity == "high":
            return objection
        found = found or objection
    if found is None or found.severity != "high":
        found = _through_xargs(facts) or _redirected(facts) or found
        found = (token_objection(facts) if looks_secret(facts.text) else None) or found
    if found is None and shows_environment(facts.text):
        found = Objection("a secret of the environment is printed", severity="medium")
    return found


def _may_lead(command: ShellCommand) -> bool:
    return may_lead_to_place(_written(command))


def _written(command: ShellCommand) -> list[str]:
    return [*words_of(command), *[redirect.target or "" for redirect in command.redirects]]


def _sent(facts: ShellFacts) -> Objection | None:
    for remote in remotes_of(facts):
        for file in remote.files:
            if place := secret_place(resolve(file)):
                return Objection(f"{remote.program} sends {file} to another machine: {place.what}", severity="high")
        for text in (*remote.data, remote.text.partition("?")[2]):
            if looks_secret(text):
                return Objection(f"{remote.program} sends a secret to another machine", severity="high")
    return None


def _program(command: ShellCommand) -> str:
    return command.program.lower().removesuffix(".exe")


def _printing(command: ShellCommand, text: str) -> Objection | None:
    stored = prints_stored(command, text)
    return Objection(f"{command.program} prints {stored}", severity="medium") if stored else None


def _of_one(at: str, text: str, command: ShellCommand) -> Objection | None:
    if (printing := _printing(command, text)) is not None:
        return printing
    program = _program(command)
    words = words_of(command)
    for path, place in _read(at, program, words, command):
        if place.sure:
            return Objection(f"{program} reads {path}: {place.what}", severity="high")
        if program in _DUMPERS and place.what != LOGINS:
            return Objection(f"{program} reads {path}: perhaps {place.what}", severity="medium")
    for fact in command_paths(at, command):
        if fact.role == "write" and (written := secret_place(fact.path)) and written.sure:
            return Objection(f"{program} writes to {fact.path}: {written.what}", severity="low")
    return None


def _read(at: str, program: str, words: tuple[str, ...], command: ShellCommand) -> Iterator[tuple[str, Place]]:
    """Give the places of secrets that a command reads what is in."""
    skipped = set(_not_read(program, words))
    reads_operands = (program not in _USERS and program not in RUNNERS) or (
        program == "openssl" and bool(_SUBCOMMAND_READS.intersection(words[1:2]))
    )
    executes = program in ("find", "fd", "fdfind") and any(word in _DUMPERS for word in words)
    for fact in command_paths(at, command):
        if fact.role == "write" or (
            fact.role == "operand" and (fact.text in skipped or not (reads_operands or executes))
        ):
            continue
        if fact.role == "operand" and program in ("curl", "wget") and not fact.text.lower().startswith(("file:", "@")):
            continue  # a URL, or the name of a field; what it sends is told elsewhere
        if place := secret_place(fact.path):
            yield fact.path, place
    for path in _inside(program, words):
        if place := secret_place(resolve(path)):
            yield path, place
    if program in _INTERPRETERS:
        for word in words[1:]:
            for literal in _LITERAL.finditer(word):
                if place := secret_place(resolve(literal[1])):
                    yield literal[1], place


def _inside(program: str, words: tuple[str, ...]) -> Iterator[str]:
    """Give the files that a command takes out of a commit or a container."""
    copies = program in _COPIERS and "cp" in words[1:3]
    shows = program == "git" and words[1:2] and words[1] in ("show", "cat-file", "restore", "checkout", "archive")
    if copies or shows:
        for word in words[2:]:
            before, colon, path = word.partition(":")
            if colon and path and "/" not in before:
                yield path


def _redirected(facts: ShellFacts) -> Objection | None:
    """Catch what a shell itself reads: ``while read ...; done < FILE``, ``$(<FILE)``; and the paths of other shells."""
    if "<" not in facts.text and "\\" not in facts.text:
        return None
    for found in (*_REDIRECTED.finditer(facts.text), *(_WINDOWS.finditer(facts.text) if "\\" in facts.text else ())):
        path = next(group for group in found.groups() if group)
        if (place := secret_place(resolve(path))) and place.sure:
            return Objection(f"{path} is read: {place.what}", severity="high")
    if "\\" in facts.text and _HIVES.search(facts.text):
        return Objection("reg saves the hive of the system's passwords", severity="high")
    return None


def _not_read(program: str, words: tuple[str, ...]) -> Iterator[str]:
    """Give the words of a command that are no files that it reads: what it looks for, where it writes."""
    operands = [word for word in words[1:] if not word.startswith("-")]
    if program in _LAST_IS_TARGET and len(operands) > 1:
        yield operands[-1]
    named = any(word.startswith(("-e", "-f", "--regexp", "--file", "--expression")) for word in words[1:])
    if program in _FIRST_IS_PATTERN and operands and not named:
        yield operands[0]
    for option, value in pairwise(words):
        if option in _VALUED.get(program, ()):
            yield value
    if program in _GREPS and any(_TELLING.fullmatch(word) for word in words[1:]):
        yield from operands  # counts or names, and shows nothing
    if program in ("sed", "gsed") and any(word.startswith(("-i", "--in-place")) for word in words[1:]):
        yield from operands  # edits, and shows nothing


_VALUED: Final = {
    "grep": ("-e", "--include", "--exclude", "--exclude-dir"),
    "rg": ("-e", "-g", "--glob", "-t"),
    "scp": ("-i", "-F", "-o"),
    "rsync": ("-e", "--exclude", "--include"),
    "tar": ("--exclude", "-X"),
    "zip": ("-x",),
    "tree": ("-I", "-P"),
    "du": ("--exclude",),
    "awk": ("-v", "-F"),
    "diff": ("-x", "--exclude"),
}


def _through_xargs(facts: ShellFacts) -> Objection | None:
    """Catch ``find -name id_rsa | xargs cat``: the names of secrets handed on to a program that shows files."""
    readers = [
        command
        for command in facts.commands
        if command.piped_from is not None
        and ("xargs" in command.through or "parallel" in command.through or command.program == "xargs")
        and (command.program in _DUMPERS or any(word in _DUMPERS for word in command.argv if word))
    ]
    if not readers:
        return None
    for command in facts.commands:
        for word in words_of(command)[1:]:
            if (
                command.program in ("find", "fd", "echo", "printf", "ls", "locate", "grep")
                and (place := secret_place(resolve(word)))
                and place.sure
            ):
                return Objection(f"{readers[0].program} is handed {word}: {place.what}", severity="high")
    return None
