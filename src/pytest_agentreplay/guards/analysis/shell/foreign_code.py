"""Code in languages that are not parsed: the commands in it, the files it removes, and shapes that mean harm.

Calls that run a command are found by name with the text they are given; what
they are given otherwise stays unseen. Nothing here runs anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from pytest_agentreplay.guards.analysis.shell.facts import Deed, Effect
from pytest_agentreplay.guards.analysis.shell.foreign_effects import (
    decoded_texts,
    leaks,
    plain_homes,
    removals,
    without_prints,
)
from pytest_agentreplay.guards.analysis.shell.inner import Argv, Text
from pytest_agentreplay.guards.analysis.shell.python_code import acts_of_python
from pytest_agentreplay.guards.analysis.shell.sql_text import sql_deeds
from pytest_agentreplay.guards.analysis.shell.words import decode_escapes
from pytest_agentreplay.redaction.keys import words
from pytest_agentreplay.trace import Severity

Act = Argv | Text | Deed

_LONGEST: Final = 20_000
_STRING: Final = (
    r"(?:\"((?:[^\"\\]|\\.){0,2000})\"|'((?:[^'\\]|\\.){0,2000})'|`((?:[^`\\]|\\.){0,2000})`"
    r"|q[qwx]?[({]([^)}]{0,2000})[)}])"
)
_NEEDLESS: Final = re.compile(r"\\([^\\\w])|\\(?:x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|[0-7]{1,3}|[abefnrtv\\])")
_JOINED: Final = re.compile(r"[\"'`]\s*[+.]\s*[\w.$]{1,40}\s*[+.]\s*[\"'`]")
"""Two strings with a variable between them."""
_STRINGS: Final = re.compile(_STRING, re.DOTALL)
_RUNS: Final = re.compile(
    r"(?:\b(?:system|exec|shell_exec|passthru|popen|popen2e?|capture[23]e?|proc_open|spawn"
    r"|spawnSync|execSync|execFileSync|execFile|execvp?e?|pcntl_exec"
    r"|os\.execute|io\.popen|do\s+shell\s+script|Deno\.run|Deno\.Command|Bun\.spawn|Command::new"
    r"|exec\.Command|System\.cmd|ProcessBuilder|getRuntime\(\)\.exec|Runtime\.exec"
    r"|syscall|shellescape|call-process|shell-command|run\s*\(\s*`)\b|\bsh\b(?=\s*\())[\s\(\[{]*+"
    + _STRING
    + r"((?:\s*+,\s*+\[?\s*+"
    + _STRING
    + r")*)",
    re.DOTALL,
)
_ENDS_IN_RUN: Final = re.compile(_STRING + r"(?:\.execute\(\)|\.!{1,2}(?![=\w])|\.lazyLines)")
_BACKTICKS: Final = re.compile(r"(?:`|qx\{|qx\(|qx/|%x\[|%x\(|%x\{)([^`})\]]+)[`})\]/]")
_BACKTICK_LANGUAGES: Final = frozenset(("perl", "ruby", "php", "irb", "julia"))
_WRITES: Final = re.compile(
    r"(?:\b(?:writeFileSync|writeFile|appendFileSync|appendFile|file_put_contents)|\b(?:File"
    r"|IO)\.(?:write|binwrite)|\bDeno\.writeTextFile(?:Sync)?)\s*+\(?\s*+"
    + _STRING
    + r"|\bopen\s*+\(?\s*+(?:my\s++)?[\$\w]*+\s*+,\s*+[\"']>>?[\"']?,?\s*[\"']?([^\"']+)"
    r"|\bFile\.open\s*+\(?\s*+[\"']([^\"']+)[\"']\s*,\s*[\"'][wa]",
    re.DOTALL,
)
_SOCKET: Final = re.compile(
    r"\bsocket\b|TCPSocket|require\(.net.\)|net\.(?:connect|Socket|createConnection)|fsockopen"
    r"|/inet/tcp|IO::Socket|\bINET\b|PF_INET|net\.Dial|TcpClient|Sockets\.TCPClient|luasocket"
    r"|stream_socket_client",
    re.IGNORECASE,
)
_SHELL_BEHIND: Final = re.compile(
    r"/bin/(?:ba|z|da|k)?sh|\bsh\s+-i|cmd\.exe|\bexec\b.{0,20}\bsh\b|dup2|powershell|\$SHELL"
    r"|\bsystem\s*\(?\s*\$|\bIO\.popen\(\s*\w+|\bfdopen\b|\(\s*\w+\s*\|&?\s*getline"
    r"|Invoke-Expression|\biex\b",
    re.IGNORECASE,
)
_FETCH: Final = re.compile(
    r"\bfetch\s*\(|https?['\"]?\)?\.(?:get|request)|axios|\bgot\(|URI\.open|open-uri|LWP::|HTTP::Tiny"
    r"|file_get_contents\s*\(\s*['\"]https?|curl_exec|Net::HTTP|DownloadString|DownloadData"
    r"|DownloadFile"
    r"|Invoke-WebRequest|Invoke-RestMethod|\biwr\b|\birm\b|XMLHTTP|WinHttp"
    r"|Start-BitsTransfer|certutil.{0,40}-urlcache",
    re.IGNORECASE,
)
_EVALUATE: Final = re.compile(
    r"\beval\b|instance_eval|class_eval|new\s+Function|vm\.run|\bIEX\b|Invoke-Expression"
    r"|\bassert\s*\(|\brequire_from_string|\bload\s*\(|loadstring|include\s*\(?\s*['\"]https?"
    r"|Assembly\]::Load|mshta|Start-Process|&\s*\$",
    re.IGNORECASE,
)
_DECODE: Final = re.compile(
    r"base64|atob\s*\(|Buffer\.from|\bpack\s*\(?\s*['\"]|\bunpack\b|decode64|FromBase64String"
    r"|fromCharCode|gzinflate|str_rot13|hex2bin|\[char\]\s*\d|-join|urldecode|MIME::"
    r"|\bchr\b.*\bchr\b|\\x[0-9a-f]{2}\\x",
    re.IGNORECASE,
)
_FORKS: Final = re.compile(
    r"fork\s+while\s+(?:fork|1)|while\s*\(?\s*(?:1|true)?\s*\)?\s*[:{]?\s*(?:os\.)?fork"
    r"|loop\s*\{?\s*(?:do\s+)?fork|for\s*\(;;\)\s*\{?\s*fork|fork\s*while|\bfork\(\)\s*while",
    re.IGNORECASE,
)
_KILLS: Final = re.compile(r"\bprocess\.kill\(\s*-1|\bkill\s*\(?\s*['\"]?(?:9|-9|KILL|SIGKILL|TERM)['\"]?\s*,\s*-1\b")
_HALTS: Final = re.compile(r"System Events[^\n]{0,20}\bto (?:shut down|restart|sleep)|\bloginwindow[^\n]{0,40}rsdn")
_EDITOR_SHELL: Final = re.compile(r"^\s*[:+]?\s*!\s*(.+)", re.DOTALL)
_AWK_PIPE: Final = re.compile(r"\"([^\"]+)\"\s*\|\s*getline|\|\s*\"([^\"]+)\"")
_POWERSHELL: Final[tuple[tuple[str, Effect, Severity, str], ...]] = (
    (
        r"\b(?:remove-item|ri|rm|rmdir|rd|del|erase)\b(?=[^|;\n]{0,200}\s-r)(?=[^|;\n]{0,200}(?:\s"
        r"|['\"])(?:[a-z]:[\\/]*(?:\*|['\"\s]|$|users|windows|program)|\\|/(?:\s|\*|$)|~|\$(?:home"
        r"|env:\w+)\b|\*(?:\s|$)|\.\.?(?:\s|$)|\.\\\*))[^|;\n]{0,200}",
        "delete",
        "critical",
        "deletes a whole tree",
    ),
    (
        r"\b(?:get-childitem|gci|dir|ls)\b[^|;\n]{0,80}(?:[a-z]:[\\/]|~|\$env:|\$home"
        r"|\\)[^|;\n]{0,80}\|\s*(?:foreach[^|;\n]{0,40})?"
        r"(?:remove-item|ri|rm|del)\b",
        "delete",
        "critical",
        "deletes a whole tree",
    ),
    (
        r"\b(?:rundll32(?:\.exe)?\s+javascript:|wmic(?:\.exe)?\s+process\s+call\s+create)",
        "interpreter_from_network",
        "high",
        "runs code by a program that isn't made for it",
    ),
    (
        r"\b(?:rd|rmdir|del|erase)\b(?=[^|;&\n]{0,200}\s/s)(?=[^|;&\n]{0,200}(?:\s"
        r"|['\"])(?:[a-z]:[\\/]*(?:\*|['\"\s]|$|users|windows|program)|\\|%\w+%|\*(?:\s|$|\.\*)"
        r"|\.\.))[^|;&\n]{0,200}",
        "delete",
        "critical",
        "deletes a whole tree",
    ),
    (
        r"\b(?:format-volume|clear-disk|initialize-disk|remove-partition|diskpart)\b"
        r"|\bformat(?:\.com)?\s+[a-z]:|\bcipher\s+/w",
        "disk",
        "critical",
        "wipes a disk",
    ),
    (
        r"\bvssadmin(?:\.exe)?\s+delete|\bwbadmin(?:\.exe)?\s+delete|\bbcdedit(?:\.exe)?\s+/(?:set"
        r"|delete)|win32_shadowcopy.*delete|\bwmic\s+shadowcopy\s+delete",
        "disk",
        "critical",
        "destroys what the machine could be restored from",
    ),
    (
        r"set-mppreference[^\n;]{0,200}disable\w+\s+(?:\$true|1)|netsh\s+(?:advfirewall"
        r"|firewall)\s+set\s[^\n;]{0,200}(?:off|disable)|set-netfirewallprofile[^\n;]{0,200}false"
        r"|add-mppreference[^\n;]{0,200}exclusion|\b(?:net1?|sc)(?:\.exe)?\s+(?:stop|delete)\s+(?:windefend|mpssvc"
        r"|wuauserv"
        r"|sense|eventlog|wscsvc)|stop-service[^\n;]{0,60}(?:windefend|mpssvc|eventlog)",
        "machine",
        "high",
        "turns off the machine's protection",
    ),
    (
        r"\bschtasks(?:\.exe)?\s[^\n;]{0,200}/create|\b(?:register|new)-scheduledtask\b(?!action"
        r"|trigger)|\bnew-service\b|\bsc(?:\.exe)?\s+create\b"
        r"|\breg(?:\.exe)?\s+add\s[^\n;]{0,200}\\run(?:once)?\b|currentversion\\\\?run|\\startup\\",
        "persistence",
        "high",
        "makes something start by itself",
    ),
    (
        r"\bnet1?\s+(?:user\s+\S+\s+\S+\s[^\n;]{0,200}/add"
        r"|localgroup\s+administrators\s[^\n;]{0,200}/add)|\badd-localgroupmember\b|\bnew-localuser\b",
        "privilege",
        "high",
        "makes an account or raises one",
    ),
    (
        r"\b(?:stop|restart)-computer\b|\bshutdown(?:\.exe)?\s[^\n;]{0,200}/[srp]\b",
        "machine",
        "high",
        "shuts the machine down",
    ),
    (
        r"\bclear-eventlog\b|\bwevtutil(?:\.exe)?\s+cl\b|\bclear-history\b"
        r"|remove-item[^\n;]{0,200}consolehost_history",
        "traces",
        "high",
        "removes what tells of the past",
    ),
    (
        r"\[(?:system\.)?io\.(?:directory|file)\]::delete\s*\(\s*['\"](?:[a-z]:[\\/]|/|~|\$)|\bclear-recyclebin\b"
        r"|\bremove-(?:localuser|itemproperty\s+(?:-path\s+)?hk(?:lm|cu):)",
        "delete",
        "high",
        "deletes what doesn't come back",
    ),
    (r"\bget-process\s*\|\s*stop-process|\bgps\s*\|\s*(?:kill|spps)\b", "process_kill", "high", "kills every process"),
    (r"\bdisable-netadapter\b", "machine", "medium", "takes the machine off the network"),
    (
        r"\b(?:iwr|irm|invoke-webrequest|invoke-restmethod)\b(?=[^;\n]{0,200}-infile)(?![^;\n]{0,200}//(?:localhost"
        r"|127\.))",
        "leak",
        "medium",
        "sends a file to another machine",
    ),
    (r"\breg(?:\.exe)?\s+delete\s+(?:hklm|hkey_local_machine|hkcu)", "delete", "high", "deletes from the registry"),
    (
        r"\b(?:invoke-)?mimikatz\b|\btaskkill\b[^\n;]{0,100}\blsass|\bprocdump[^\n;]{0,200}lsass|\bcomsvcs\.dll"
        r"|\breg(?:\.exe)?\s+save\s+hklm\\(?:sam|security|system)",
        "privilege",
        "critical",
        "takes the machine's credentials",
    ),
    (
        r"\bwmic(?:\.exe)?\b[^\n;]{0,160}\bprocess\s+call\s+create|\binvoke-(?:wmimethod"
        r"|cimmethod)\b[^\n;]{0,160}\bcreate\b",
        "privilege",
        "high",
        "starts a program behind the back of the shell",
    ),
    (r"\bset-executionpolicy\s+(?:bypass|unrestricted)", "privilege", "medium", "lets any script run"),
)
_POWERSHELL_RULES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), effect, severity, reason) for pattern, effect, severity, reason in _POWERSHELL
)
WINDOWS_PROGRAMS: Final = words(
    "remove-item ri del rd rmdir erase format format-volume clear-disk initialize-disk"
    " remove-partition diskpart vssadmin wbadmin"
    " bcdedit set-mppreference add-mppreference netsh set-netfirewallprofile schtasks"
    " register-scheduledtask new-scheduledtask"
    " new-service sc reg net net1 add-localgroupmember new-localuser stop-computer"
    " restart-computer shutdown clear-eventlog wevtutil"
    " iex invoke-expression invoke-mimikatz mimikatz procdump rundll32 set-executionpolicy"
    " certutil mshta bitsadmin cipher regsvr32"
    " invoke-webrequest iwr irm invoke-restmethod get-childitem gci wmic start-process"
    " mimikatz taskkill stop-service new-object vssadmin.exe schtasks.exe reg.exe"
    " certutil.exe mshta.exe bitsadmin.exe wevtutil.exe bcdedit.exe sc.exe net.exe get-wmiobject clear-history"
)
"""Names, in lower case, of programs that only Windows has or that mean something else there."""


@lru_cache(maxsize=1024)
def acts_of_code(code: str, language: str) -> tuple[Act, ...]:
    """List what can be found in code of a language that isn't parsed."""
    return tuple(_acts(code, language))


def _acts(code: str, language: str) -> Iterator[Act]:
    if len(code) > _LONGEST:
        yield Deed("unreadable", "medium", "", "is too long to be looked through to its end")
        code = code[:_LONGEST]
    code = without_prints(plain_homes(code))
    yield from _shapes(code)
    if language == "powershell":
        yield from windows_deeds(code)
    if language in ("vim", "nvim", "vi", "ex", "less"):
        if found := _EDITOR_SHELL.match(code):
            yield Text(found[1])
        if found := re.match(r"\s*:?\s*py\w*\s+(.+)", code, re.DOTALL):
            yield from acts_of_python(found[1]) or ()
        return
    if language in ("tclsh", "expect"):
        for found in re.finditer(r"\b(?:exec|spawn)\s+([^\]\n;]{1,500})", code):
            yield Text(found[1])
    for found in _ENDS_IN_RUN.finditer(code):
        yield Text(_unescaped(_first(found.groups())))
    if language == "awk":
        for before, after in _AWK_PIPE.findall(code):
            yield Text(before or after)
    yield from _commands(code, language)
    written_out = decoded_texts(code)
    if written_out != code:
        decoded = [*_commands(written_out, language), *_shapes(written_out)]
        if decoded:
            yield Deed("obfuscation", "medium", "", "runs what it decodes first")
        yield from decoded
    yield from removals(code)
    yield from leaks(code)
    for found in _WRITES.finditer(code):
        yield Argv(["tee", _first(found.groups())])
    for found in re.finditer(r"\.(?:query|execute|exec|raw)\s*\(\s*" + _STRING, code):
        yield from sql_deeds(_first(found.groups()))


def _commands(code: str, language: str) -> Iterator[Act]:
    code = _JOINED.sub("$x", code)
    for found in _RUNS.finditer(code):
        words = [_unescaped(_first(groups)) for groups in _STRINGS.findall(found[0])]
        if len(words) > 1 and " " not in words[0]:
            yield Argv(words)
        elif words:
            yield Text(words[0])
    if language in _BACKTICK_LANGUAGES:
        for found in _BACKTICKS.finditer(code):
            yield Text(found[1])


def _unescaped(text: str) -> str:
    """Undo the escapes of a string, the needless ones too."""
    return _NEEDLESS.sub(lambda found: found[1] or decode_escapes(found[0]), text) if "\\" in text else text


def _first(groups: tuple[str | None, ...]) -> str:
    return next((group for group in groups if group), "")


def _shapes(code: str) -> Iterator[Deed]:
    if _SOCKET.search(code) and _SHELL_BEHIND.search(code):
        yield Deed("reverse_shell", "critical", "", "hands a shell to another machine")
    if _EVALUATE.search(code):
        if _FETCH.search(code):
            yield Deed("interpreter_from_network", "critical", "", "downloads code and runs it unseen")
        if _DECODE.search(code):
            yield Deed("obfuscation", "high", "", "decodes code and runs it unseen")
    if _KILLS.search(code):
        yield Deed("process_kill", "critical", "-1", "kills every process there is")
    if _HALTS.search(code):
        yield Deed("machine", "high", "", "shuts the machine down")
    if _FORKS.search(code):
        yield Deed("process_kill", "critical", "", "starts processes without end until the machine stalls")


def windows_deeds(text: str) -> Iterator[Deed]:
    """List what commands of Windows in a text do."""
    text = text[:_LONGEST]
    for pattern, effect, severity, reason in _POWERSHELL_RULES:
        if found := pattern.search(text):
            yield Deed(effect, severity, found[0].strip()[:80], reason, text[:160])
    if re.search(r"(?i)(?<!-)\biex\b|invoke-expression|mshta\s+https?|regsvr32[^\n]{0,200}https?", text) and (
        _FETCH.search(text) or "http" in text
    ):
        yield Deed("interpreter_from_network", "critical", "", "downloads code and runs it unseen", text[:160])
    if re.search(r"(?i)certutil[^\n]{0,200}-(?:urlcache|decode)|bitsadmin[^\n]{0,200}/transfer", text):
        yield Deed(
            "interpreter_from_network", "high", "", "downloads a file by a program that isn't made for it", text[:160]
        )
