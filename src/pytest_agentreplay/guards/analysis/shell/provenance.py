"""Provenance: where the text that a command prints would come from, and which files a download leaves.

Nothing here knows what the text is.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias
from urllib.parse import unquote

from pytest_agentreplay.guards.analysis.shell.call import Call
from pytest_agentreplay.guards.analysis.shell.unknown import DECODED, NETWORK, PLAIN, is_known, marks_of, unknown
from pytest_agentreplay.redaction.keys import words

Files: TypeAlias = dict[str, str]
"""The texts of the files that a script itself wrote, by path."""

_FETCHERS: Final = words(
    "curl wget http https xh fetch aria2c lynx links w3m elinks nc ncat netcat socat telnet ftp"
    " tftp lwp-request GET dig nslookup host drill kdig gopher curlie hurl s3cmd iwr irm"
    " invoke-webrequest invoke-restmethod"
)
_FILE_STRETCH: Final = re.compile("[\x00-\x02]file:[^\x03]*\x03")
_ENVIRONMENT: Final = frozenset(("env", "printenv"))
_PASSES_ON: Final = words(
    "tar zip gzip bzip2 xz zstd 7z base64 base32 xxd od hexdump strings grep egrep rg sed awk"
    " cut jq yq gpg openssl cpio dd tail head nl bat less"
)
_DECODERS: Final = words(
    "base64 gbase64 base32 basenc xxd openssl gpg uudecode zcat gunzip gzip bzcat bunzip2 xzcat"
    " unxz zstdcat lz4cat brotli"
    " rev tr od recode ascii2uni perl python python3 ruby node php unzip 7z xz bzip2 zstd"
)
_SCHEMED_SOURCE: Final = re.compile(r"(?:s3|gs|https?|ftp|sftp)://", re.IGNORECASE)


def source_of(call: Call) -> str:
    """Tell where a command's output would come from: the network, something decoded, or anywhere."""
    stdin = call.frame.stdin or ""
    if fetches(call) or NETWORK in stdin or any(NETWORK in word for word in call.args):
        return NETWORK
    if call.program in _DECODERS and (
        DECODED in stdin or (stdin and is_known(stdin)) or call.has("-d", "-dc", "--decrypt", "--decompress", "-p")
    ):
        return DECODED
    return DECODED if DECODED in stdin else PLAIN


def file_behind(call: Call) -> str:
    """Name the file that a command's output was made of, where it is one that passes on what it reads."""
    stdin = call.frame.stdin or ""
    if found := _FILE_STRETCH.search(stdin):
        return found[0][1:-1]
    if call.program in _ENVIRONMENT:
        return "file:/proc/self/environ"
    if (call.program == "gpg" and any(flag.startswith("--export-secret") for flag in call.args)) or (
        call.program == "security" and "dump-keychain" in call.args
    ):
        return "file:~/.gnupg"
    if call.program in _PASSES_ON:
        names = [call.path(word) for word in call.operands if is_known(word) and ("/" in word or "." in word)]
        return "file:" + " ".join(names)
    return ""


def fetches(call: Call) -> bool:
    """Tell whether a program brings text from another machine."""
    if call.program in _FETCHERS:
        return True
    if call.program in ("aws", "gsutil", "gcloud", "mc", "rclone", "kubectl"):
        return call.args[-1:] == ["-"] or "cat" in call.args[:2]
    return call.program in ("ssh", "scp", "rsync") and bool(call.operands)


def content_of(call: Call, files: Files, name: str) -> str:
    """Give the text of a file as far as it is known."""
    if marks_of(name) in (NETWORK, DECODED):
        return unknown("", marks_of(name))
    path = call.path(name)
    if path == "/dev/null":
        return ""
    return files[path] if path in files else unknown("file:" + path) if is_known(path) else unknown()


def saved_files(call: Call) -> list[str]:
    """List the files that a download writes."""
    if call.program == "curl":
        named = [call.values[flag] for flag in ("-o", "--output") if flag in call.values]
        return named or ([_last_part(word) for word in call.operands] if call.has("-O", "--remote-name", "-J") else [])
    if call.program == "wget":
        named = [call.values[flag] for flag in ("-O", "--output-document") if flag in call.values]
        return [name for name in named if name != "-"] if named else [_last_part(word) for word in call.operands]
    if call.program in ("aria2c", "axel", "fetch", "http", "https"):
        return [call.values.get("-o") or _last_part(word) for word in call.operands]
    if call.program in ("scp", "rsync", "aws", "gsutil", "rclone", "tftp") and len(call.operands) > 1:
        *sources, target = call.operands
        if any(_SCHEMED_SOURCE.match(word) or re.match(r"[\w.@-]+:", word) for word in sources):
            return [target, *(f"{target.rstrip('/')}/{_last_part(word)}" for word in sources)]
    return []


def _last_part(address: str) -> str:
    name = unquote(re.sub(r"[?#].*", "", address)).rstrip("/").rpartition("/")[2].rpartition(":")[2]
    return name or "index.html"
