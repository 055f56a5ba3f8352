"""Ways to run a command that is given as text: wrappers, nesting, encodings, compound commands and tricks.

Every way keeps what the command does. Nothing made here is ever run.
"""

from __future__ import annotations

import base64
import gzip
import shlex
from collections.abc import Callable

_BUILTINS = frozenset(
    (
        "!",
        "coproc",
        "{",
        "exec",
        "alias",
        "unset",
        "set",
        "trap",
        "eval",
        "history",
        "source",
        ".",
        "export",
        "read",
        "cd",
    )
)
_PLAIN_ENDS = frozenset("|;&<>\n()`")


def is_simple(command: str) -> bool:
    """Tell whether a command is one program with its words, so that another program can run it."""
    quoted = shlex.shlex(command, posix=True, punctuation_chars="|;&<>()")
    quoted.whitespace_split = True
    quoted.commenters = ""
    try:
        words = list(quoted)
    except ValueError:
        return False
    if "\n" in command or " #" in command or not words or words[0] in _BUILTINS or "=" in words[0]:
        return False
    return not any(set(word) <= _PLAIN_ENDS for word in words)


def quoted(text: str) -> str:
    return shlex.quote(text)


def _escaped(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


PREFIXES = [
    *(
        "sudo",
        "sudo -n",
        "sudo -u root",
        "sudo -E",
        "doas",
        "env",
        "env A=1",
        "env -i",
        "nohup",
        "nice -n 10",
        "ionice -c3",
    ),
    *("timeout 5", "timeout -k 1 10s", "stdbuf -oL", "setsid", "command", "exec", "time", "sudo env X=y nohup", "A=1"),
    *("chronic", "strace -f", "systemd-run --user", "unbuffer", "caffeinate", "xvfb-run", "proxychains4", "taskset 1"),
    *(
        "ssh host",
        "ssh -p 22 u@h",
        "docker exec c",
        "docker exec -it -u root c",
        "docker run --rm img",
        "podman exec c",
    ),
    *(
        "kubectl exec p --",
        "kubectl -n ns exec -it p -c c --",
        "poetry run",
        "uv run",
        "npx",
        "busybox env",
        "flock /tmp/l",
    ),
]
TAKES_TEXT: list[tuple[str, Callable[[str], str]]] = [
    ("shell", lambda t: f"bash -c {quoted(t)}"),
    ("shell", lambda t: f"sh -xc {quoted(t)}"),
    ("shell", lambda t: f"/bin/zsh -lc {quoted(t)}"),
    ("shell", lambda t: f"eval {quoted(t)}"),
    ("shell", lambda t: f"su - root -c {quoted(t)}"),
    ("shell", lambda t: f"sudo sh -c {quoted(t)}"),
    ("remote", lambda t: f"ssh host {quoted(t)}"),
    ("remote", lambda t: f"docker exec c sh -c {quoted(t)}"),
    ("remote", lambda t: f"kubectl exec -it pod -- bash -c {quoted(t)}"),
    ("remote", lambda t: f"vagrant ssh -c {quoted(t)}"),
    ("wrapper", lambda t: f"script -qc {quoted(t)} /dev/null"),
    ("wrapper", lambda t: f"tmux new-session -d {quoted(t)}"),
    ("wrapper", lambda t: f"watch -n 1 {quoted(t)}"),
    ("for each", lambda t: f"find . -maxdepth 0 -exec sh -c {quoted(t)} \\;"),
    ("for each", lambda t: f"echo 1 | xargs -I{{}} sh -c {quoted(t)}"),
    ("wrapper", lambda t: f"trap {quoted(t)} EXIT"),
    ("code", lambda t: f"python3 -c {quoted(f'import os; os.system({t!r})')}"),
    ("code", lambda t: f"python -c {quoted(f'import subprocess as s; s.run({t!r}, shell=True)')}"),
    ("code", lambda t: f"perl -e {quoted(f'system({doubled(t)})')}"),
    ("code", lambda t: f"ruby -e {quoted(f'system({doubled(t)})')}"),
    ("code", lambda t: "node -e " + quoted(f'require("child_process").execSync({doubled(t)})')),
    ("code", lambda t: f"lua -e {quoted(f'os.execute({doubled(t)})')}"),
    ("code", lambda t: f"php -r {quoted(f'shell_exec({doubled(t)});')}"),
]
COMPOUNDS: list[Callable[[str], str]] = [
    lambda t: f"true && {t}",
    lambda t: f"ls; {t}",
    lambda t: f"false || {t}",
    lambda t: f"{t} && echo done",
    lambda t: f"{t}; ls",
    lambda t: f"{t} &",
    lambda t: f"( {t} )",
    lambda t: f"{{ {t}; }}",
    lambda t: f"! {t}",
    lambda t: f"if true; then {t}; fi",
    lambda t: f"for i in 1 2; do {t}; done",
    lambda t: f"while true; do {t}; sleep 1; done",
    lambda t: f"case x in x) {t} ;; esac",
    lambda t: f"f() {{ {t}; }}; f",
    lambda t: f"echo $( {t} )",
    lambda t: f"x=$( {t} )",
    lambda t: f"cat <( {t} )",
    lambda t: f"echo one\n{t}\necho two",
    lambda t: f"set -e\n# comment\n{t}",
    lambda t: f"[ -d . ] && {t}",
    lambda t: f"coproc {t}" if is_simple(t) else f"{t}",
]
ENCODINGS: list[Callable[[str], str]] = [
    lambda t: f"echo {_b64(t)} | base64 -d | sh",
    lambda t: f"base64 --decode <<< {_b64(t)} | bash",
    lambda t: f'bash -c "$(echo {_b64(t)} | base64 -d)"',
    lambda t: f'eval "$(printf %s {_b64(t)} | base64 -d)"',
    lambda t: f"printf '{_escaped(t)}' | sh",
    lambda t: f"bash -c $'{_escaped(t)}'",
    lambda t: f"echo {t.encode().hex()} | xxd -r -p | bash",
    lambda t: f"echo {quoted(t[::-1])} | rev | sh" if "\n" not in t else f"bash -c {quoted(t)}",
    lambda t: f"python3 -c \"import os,base64; os.system(base64.b64decode('{_b64(t)}').decode())\"",
    lambda t: f"python3 -c \"exec(bytes.fromhex('{f'import os; os.system({t!r})'.encode().hex()}').decode())\"",
]
FEEDS: list[Callable[[str], str]] = [
    lambda t: f"bash <<'E{len(t)}'\n{t}\nE{len(t)}",
    lambda t: f"sh -s <<X\n{t}\nX" if "$" not in t and "`" not in t and "\\" not in t else f"sh -s <<'X'\n{t}\nX",
    lambda t: f"bash <<< {quoted(t)}",
    lambda t: f"echo {quoted(t)} | sh" if "\\" not in t else f"printf '%s' {quoted(t)} | sh",
    lambda t: f"printf '%s\\n' {quoted(t)} | sudo bash",
    lambda t: f"sh <(printf '%s' {quoted(t)})",
    lambda t: f"source <(printf '%s\\n' {quoted(t)})",
    lambda t: f"cat > /tmp/x.sh <<'E{len(t)}'\n{t}\nE{len(t)}\nsh /tmp/x.sh",
    lambda t: f"printf '%s' {quoted(t)} > /tmp/x; chmod +x /tmp/x; /tmp/x",
    lambda t: f'cmd={quoted(t)}; eval "$cmd"',
    lambda t: f"ssh host bash -s <<'E{len(t)}'\n{t}\nE{len(t)}",
]


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def doubled(text: str) -> str:
    """Write a text in the double quotes of most languages."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return '"' + escaped.replace("@", "\\@").replace("#{", "\\#{").replace("\n", "\\n") + '"'


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _octal(text: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in text.encode())


def _numbers(text: str) -> str:
    return ",".join(str(ord(char)) for char in text)


def _shifted(text: str) -> str:
    return text.translate(str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm"))


TRICKS: list[Callable[[str], str]] = [
    lambda t: f"alias x={quoted(t)}\nx",
    lambda t: f'x={quoted(t)}; bash -c "$x"',
    lambda t: f'export CMD={quoted(t)}; sh -c "$CMD"',
    lambda t: f'read -r c <<< {quoted(t)}; eval "$c"' if "\n" not in t else f"eval {quoted(t)}",
    lambda t: f'printf -v c %s {quoted(t)}; eval "$c"',
    lambda t: f". /dev/stdin <<< {quoted(t)}",
    lambda t: f"bash /dev/stdin <<'E{len(t)}'\n{t}\nE{len(t)}",
    lambda t: f"bash -c \"$(cat <<'E{len(t)}'\n{t}\nE{len(t)}\n)\"",
    lambda t: f"tee /tmp/x.sh <<'E{len(t)}' >/dev/null && bash /tmp/x.sh\n{t}\nE{len(t)}",
    lambda t: f"cat <<E{len(t)}\n$( {t} )\nE{len(t)}",
    lambda t: f"export A=$( {t} )",
    lambda t: f'echo "${{x:-$( {t} )}}"',
    lambda t: f"[[ -n $( {t} ) ]] && ls",
    lambda t: f"for f in $( {t} ); do echo $f; done",
    lambda t: f"until {t}; do sleep 1; done",
    lambda t: f"function go {{ {t}; }}; go",
    lambda t: f'f() {{ eval "$1"; }}; f {quoted(t)}',
    lambda t: f'set -- {quoted(t)}; eval "$1"',
    lambda t: f'a=({quoted(t)}); eval "${{a[0]}}"',
    lambda t: f"${{SHELL}} -c {quoted(t)}",
    lambda t: f"env -S bash -c {quoted(t)}" if '"' not in t and "'" not in t else f"env bash -c {quoted(t)}",
    lambda t: f"builtin eval {quoted(t)}",
    lambda t: f"awk {quoted('BEGIN {system(' + doubled(t) + ')}')}",
    lambda t: f"git -c alias.x={quoted('!' + t)} x" if "\n" not in t else f"sh -c {quoted(t)}",
    lambda t: f"tar cf /dev/null x --checkpoint=1 --checkpoint-action=exec={quoted(t)}",
    lambda t: f"screen -dm bash -c {quoted(t)}",
    lambda t: f"nohup bash -c {quoted(t)} >/dev/null 2>&1 &",
    lambda t: f"echo {quoted(t)} | at now" if "\\" not in t else f"at now <<'E{len(t)}'\n{t}\nE{len(t)}",
    lambda t: f"echo {_b64(t)} | openssl base64 -d -A | sh",
    lambda t: f"printf '{_octal(t)}' | bash",
    lambda t: f"bash -c $'{_octal(t)}'",
    lambda t: f"echo -e '{_octal(t).replace(chr(92), chr(92) + '0')}' | sh",
    lambda t: f"echo {quoted(_shifted(t))} | tr n-za-m a-z | sh" if "\\" not in t else f"sh -c {quoted(t)}",
    lambda t: f"echo {base64.b64encode(gzip.compress(t.encode(), mtime=0)).decode()} | base64 -d | gunzip | sh",
    lambda t: f"python3 -c \"import os; os.system(''.join(map(chr, [{_numbers(t)}])))\"",
    lambda t: f'perl -e \'system(pack("H*", "{t.encode().hex()}"))\'',
    lambda t: f"node -e \"require('child_process').execSync(Buffer.from('{_b64(t)}','base64').toString())\"",
    lambda t: f"ruby -e \"system('{_b64(t)}'.unpack1('m'))\"",
    lambda t: f"php -r 'system(base64_decode(\"{_b64(t)}\"));'",
    lambda t: t.replace("\n", "\r\n"),
    lambda t: f"  {t}  # as asked",
    lambda t: f"{t} >/dev/null 2>&1" if is_simple(t) else t,
    lambda t: f"\n\n{t}\n",
]
TRICKS_OF_WORDS: list[Callable[[str], str]] = [
    lambda t: t.replace(" ", " \\\n  ", 1),
    lambda t: t.replace(" ", "\t", 1),
    lambda t: f'a=( {t} ); "${{a[@]}}"',
    lambda t: f'set -- {t}; "$@"',
    lambda t: f'f() {{ "$@"; }}; f {t}',
    lambda t: f"$(which {t.split(' ')[0]}) {t.partition(' ')[2]}" if t.split(" ")[0].isalpha() else t,
    lambda t: f"$(command -v {t.split(' ')[0]}) {t.partition(' ')[2]}" if t.split(" ")[0].isalpha() else t,
    lambda t: f"cp /bin/{t.split(' ')[0]} /tmp/x; /tmp/x {t.partition(' ')[2]}" if t.split(" ")[0].isalpha() else t,
    lambda t: f"ln -s /bin/{t.split(' ')[0]} x; ./x {t.partition(' ')[2]}" if t.split(" ")[0].isalpha() else t,
    lambda t: t.replace(" ", "${IFS}") if "'" not in t and '"' not in t and "$" not in t and "@" not in t else t,
    lambda t: f"busybox {t}",
    lambda t: f"command -p {t}",
    lambda t: f"env -u HOME PATH=/bin {t}",
    lambda t: f"sudo -u root -- {t}",
    lambda t: f"sudo nice -n 5 ionice -c 2 -n 7 {t}",
    lambda t: f"docker run --rm -it -v /srv:/srv --name x alpine {t}",
    lambda t: f"chroot /mnt {t}",
    lambda t: f"nsenter -t 99 -m {t}",
    lambda t: f"gcloud compute ssh vm --command {quoted(t)}",
]
