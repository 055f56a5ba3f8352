"""What code in languages that are not parsed removes, sends and prints.

Names of homes become plain text first, variables are looked up where a literal
was assigned to them, and a loop over a listing removes what it lists. Nothing
here runs anything or knows which language it reads.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from pytest_agentreplay.guards.analysis.shell.deeds.networks import SECRET_FILE
from pytest_agentreplay.guards.analysis.shell.facts import Deed
from pytest_agentreplay.guards.analysis.shell.inner import Argv
from pytest_agentreplay.guards.analysis.shell.unknown import ANY_DEPTH, DECODED, unknown, unmarked
from pytest_agentreplay.guards.analysis.shell.words import decode_escapes

_MOST: Final = 64  # removals that are followed in one piece of code
_TEXT: Final = r"(?:\"([^\"\n]{0,300})\"|'([^'\n]{0,300})'|`([^`\n]{0,300})`)"
_HOME: Final = (
    r"(?:process\.env\.(?:HOME|USERPROFILE)|process\.env\[['\"]HOME['\"]\]|(?:\bos|require\(['\"](?:node:)?os['\"]\))"
    r"\.homedir\(\)|ENV\[['\"]HOME['\"]\]|ENV\.fetch\(['\"]HOME['\"]\)|\bDir\.home\b|\$ENV\{['\"]?HOME['\"]?\}"
    r"|\$_(?:SERVER|ENV)\[['\"]HOME['\"]\]|\bgetenv\(['\"]HOME['\"]\)|\bos\.(?:getenv|Getenv)\(['\"]HOME['\"]\)"
    r"|\bos\.UserHomeDir\(\)|\bDeno\.env\.get\(['\"]HOME['\"]\)|\bSystem\.getProperty\(['\"]user\.home['\"]\)"
    r"|\bFile\.expand_path\(['\"]~['\"]\))"
)
_HOME_INSIDE: Final = re.compile(r"[#$]\{\s*" + _HOME + r"\s*\}")
_HOME_BEFORE: Final = re.compile(_HOME + r"\s*[+.]{1,2}\s*(['\"])")
_HOME_ALONE: Final = re.compile(_HOME)
_JOINS: Final = re.compile(
    r"(?:\bpath\.join|\bpath\.resolve|\bFile\.join|\bjoin_path|\bfilepath\.Join)\s*\(\s*"
    + _TEXT
    + r"\s*,\s*"
    + _TEXT
    + r"\s*\)"
)
_REMOVER: Final = re.compile(
    r"\b(?:unlink|rmtree|remove_tree|rm_rf|rm_r|rm_f|rmSync|rmdirSync|unlinkSync|rimraf(?:\.sync|Sync)?|remove_dir_all"
    r"|remove_dir|remove_file|RemoveAll|remove_entry\w*|deleteRecursively|deleteDirectory|emptyDirSync|removeSync"
    r"|deleteSync|File\.delete|Dir\.delete|Dir\.unlink|Dir\.rmdir|FileUtils\.(?:rm|remove)|rmdir|os\.remove|os\.Remove"
    r"|Files\.delete\w*|Deno\.remove(?:Sync)?|del\.sync|trash)\b|\bFile\.rm(?:_rf?)?!?|\bremoveItem(?:AtPath)?\b|\bdelete-(?:directory|file)\b"
    r"|\brm(?=\(['\"])|\bfs\w*\.(?:promises\.)?(?:rm|unlink|rmdir|remove)\b"
    r"|promises['\"]?\)?\.(?:rm|unlink|rmdir)\b|require\(['\"](?:node:)?fs(?:/promises)?['\"]\)\.(?:promises\.)?\w*rm\w*"
)
_ARGUMENT: Final = re.compile(r"[^;\n]{0,200}")
_VARIABLE: Final = re.compile(r"\s*[(\[]*\s*[\\]?([$@]?[A-Za-z_]\w*)\s*(?=[,)\];}]|$)")
_LISTING: Final = re.compile(
    r"(?:\b(?:readdirSync|readdir|scandir|opendir|listdir|globSync|glob|walk|walkSync|File::Find|find|Glob|ReadDir"
    r"|read_dir|WalkDir|children|entries|each_child|foreach|ReadDirSync|new\s+\w*DirectoryIterator)|\bDir(?=\[))"
    r"\s*+[(\[]?\s*+(?:\{[^}]{0,100}\}\s*,\s*|sub\s*\{[^}]{0,100}\}\s*,\s*)?"
    + _TEXT
    + r"|<((?:[~/.]|\w+/)[^<>\s]{0,100})>"
)
_SENDS: Final = re.compile(
    r"\bfetch\s*\(|\bhttps?(?:['\"]\))?\.(?:request|get|post)\b|\baxios\b|\bgot\s*\(|\bgot\.post|Net::HTTP|\bLWP::|HTTP::Tiny"
    r"|\bcurl_exec|\bcurl_init|TCPSocket|UDPSocket|IO::Socket|fsockopen|stream_socket_client|stream_context_create"
    r"|net['\"]?\)?\.(?:connect|createConnection|Socket)|\bdgram\b|\bdns['\"]?\)?\.(?:resolve|lookup)|nodemailer|\bmail\s*\("
    r"|URI\.open|URI\(|open-uri|Faraday|RestClient|HTTParty|WebSocket|XMLHttpRequest|sendBeacon|Net::SMTP|Net::FTP"
    r"|UploadString|UploadFile|UploadData|Invoke-RestMethod|Invoke-WebRequest|\bi[rw][mr]\b|http\.Post\w*|reqwest|socket\.http"
    r"|file_get_contents\s*\(\s*['\"](?:https?|ftp):|\bDeno\.connect|\bBun\.connect|httpc:request|HTTPoison|System\.Net",
    re.IGNORECASE,
)
_READS: Final = re.compile(
    r"(?:\breadFileSync|\breadFile|createReadStream|\bFile\.(?:read|open|readlines|binread|new)|\bIO\.(?:read|readlines)"
    r"|\bfile_get_contents|\breadfile|\bfile|\bfopen|\bopen|\bslurp|Deno\.readTextFile(?:Sync)?|\bBun\.file|io\.open"
    r"|Get-Content|\bgc|\bcat|\btype|ReadAllText|ReadAllBytes|read_to_string|ReadFile)[(\s]\s*+(?:[\w$]++\s*+,\s*['\"]<['\"]\s*,\s*)?"
    r"(?:-\w++\s++)*+(?:" + _TEXT + r"|([~/\w.\\:$-]{4,200}))"
)
_DUMPS: Final = re.compile(
    r"(?:stringify|inspect|entries|encode|to_json|dump|querystring\.\w+|URLSearchParams)\s*\(\s*(?:process\.env|ENV|\$_ENV|\$_SERVER"
    r"|Deno\.env)\b\s*[,)]|\bENV\.(?:to_h|to_a|to_json|inspect|map|each)|[\\(\s]%ENV\b|\bgetenv\(\s*\)|\bbody\s*:\s*process\.env\b"
    r"|GetEnvironmentVariables|(?:gci|dir|ls|get-childitem)\s+env:|Deno\.env\.toObject|http_build_query\(\s*\$_(?:ENV|SERVER)",
    re.IGNORECASE,
)
_PRINTS: Final = re.compile(
    r"\b(?:print|puts|say|echo|printf|console\.log|io\.write|process\.stdout\.write|\$stdout\.write|STDOUT\.write)\b\s*+\(?\s*+"
    + r"(?:\"((?:[^\"\\\n]|\\.){0,2000})\"|'((?:[^'\\\n]|\\.){0,2000})'|`([^`\n$]{0,2000})`)\s*\)?\s*(?=[;\n]|$)"
)
_MAKES: Final = re.compile(
    r"reverse|\bchr\b|\bpack\b|\bjoin\b|sprintf|\\x|\\[0-7]{3}|\bmap\b|base64|Buffer|atob|unpack|fromCharCode|\btr/|\by/|\bs/|hex2bin"
    r"|rot13|decode|unpack|gzinflate"
)


_LONG_TEXT: Final = _TEXT.replace("300", "16000")
_DECODES: Final = re.compile(
    r"(?:\bBuffer\.from\(\s*" + _LONG_TEXT + r"\s*,\s*['\"](base64|hex)['\"]\s*\)(?:\.toString\([^)]{0,20}\))?"
    r"|\b(?:atob|base64_decode|hex2bin|Base64\.(?:strict_|urlsafe_)?decode64|decode_base64|b64decode)\(?\s*"
    + _LONG_TEXT
    + r"\s*\)?|\bpack\(?\s*['\"]H\*['\"]\s*,\s*"
    + _LONG_TEXT
    + r"\s*\)?"
    + r"|"
    + _LONG_TEXT
    + r"\.unpack1?\(?\s*['\"](?:m0?)['\"]\s*\)?(?:\[0\]|\.first)?"
    + r"|\[\s*"
    + _LONG_TEXT
    + r"\s*\]\.pack\(?\s*['\"]H\*['\"]\s*\)?)"
)


def decoded_texts(code: str) -> str:
    """Write out the texts that code decodes."""
    return _DECODES.sub(_decoded, code) if _MAKES.search(code) else code


def _decoded(found: re.Match[str]) -> str:
    text = _first(tuple(group for group in found.groups() if group not in ("base64", "hex")))
    is_hex = "hex" in found[0] or "H*" in found[0]
    try:
        data = bytes.fromhex(text) if is_hex else base64.b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return found[0]
    return json.dumps(unmarked(data.decode("utf-8", "replace")), ensure_ascii=False)


def without_prints(code: str) -> str:
    """Take out what is only printed."""
    return _PRINTS.sub("", code)


def plain_homes(code: str) -> str:
    """Write the names of the home directory as ``~``, and parts of a path that are joined as one."""
    if "HOME" in code or "home" in code or "~" in code:
        code = _HOME_INSIDE.sub("~", code)
        code = _HOME_BEFORE.sub(r"\1~", code)
        code = _HOME_ALONE.sub("'~'", code)
    return _JOINS.sub(lambda found: f"'{_first(found.groups()[:3])}/{_first(found.groups()[3:]).lstrip('/')}'", code)


def removals(code: str) -> Iterator[Argv]:
    """List what a piece of code removes, as the commands that would do the same."""
    for found in islice(_REMOVER.finditer(code), _MOST):
        rest = _ARGUMENT.match(code, found.end())
        argument = (rest[0] if rest else "").lstrip(
            "'\"" if code[found.start() - 1 : found.start()] in ("'", '"') else ""
        )
        direct = re.match(r"[\s(\[]*+(?:\w+:\s*)?(?:qw[(\[{]\s*)?" + _TEXT, argument)
        if direct:
            yield Argv(["rm", "-rf", decode_escapes(_first(direct.groups()))])
            continue
        named = _VARIABLE.match(argument)
        value = _assigned(code, named[1]) if named else ""
        if value:
            yield Argv(["rm", "-rf", value])
            continue
        for place in islice(_LISTING.finditer(code), 8):
            root = _first(place.groups())
            listed = root if any(char in root for char in "*?[") else f"{root.rstrip('/')}/{unknown(ANY_DEPTH)}"
            yield Argv(["rm", "-rf", listed])


def _assigned(code: str, name: str) -> str:
    """Give the text that a variable was set to where it was set to one."""
    found = re.search(rf"{re.escape(name)}\s*(?::\s*\w+\s*)?(?<![=!<>]):?=\s*{_TEXT}", code)
    return _first(found.groups()) if found else ""


def leaks(code: str) -> Iterator[Deed]:
    """Tell of secrets that are read by code which talks to other machines."""
    if not _SENDS.search(code):
        return
    for found in _READS.finditer(code):
        name = _first(found.groups())
        if SECRET_FILE.search(name):
            yield Deed("leak", "critical", name, f"sends {name} to another machine")
            return
    if _DUMPS.search(code):
        yield Deed("leak", "critical", "environment", "sends every variable of the environment to another machine")


def told_by_code(code: str) -> str:
    """Give what a piece of code prints, as far as it is written out; else whether it is put together there."""
    printed = [decode_escapes(_first(found.groups())) for found in _PRINTS.finditer(code)]
    if printed and not _MAKES.search(code):
        return "\n".join(printed)
    return unknown("", DECODED) if _MAKES.search(code) else unknown()


def _first(groups: tuple[str | None, ...]) -> str:
    return next((group for group in groups if group), "")
