"""Clients of HTTP: where curl, wget and HTTPie go by their words, and what they send there.

Nothing here judges either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pytest_agentreplay.guards.analysis.remote import Reader, Remote, options
from pytest_agentreplay.redaction.keys import words as word_set

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


def _curl(program: str, words: Sequence[str]) -> Iterator[Remote]:
    urls, files, texts, piped = [], [], [], False
    for name, value in options(words, _CURL_VALUES | _CURL_LONG | _CURL_DATA | {"-X", "--url"}):
        if name in ("", "--url"):
            urls.append(value)
        elif name in _CURL_DATA:
            of = _curl_data(name, value)
            piped = piped or of[2]
            files += of[0]
            texts += of[1]
        elif name in ("-x", "--proxy", "--doh-url", "--preproxy"):
            urls.append(value)
        elif name == "--resolve":  # host:port:address
            urls.append(value.split(":", 2)[-1])
        elif name == "--connect-to":  # host:port:host:port
            urls.append(":".join(value.rsplit(":", 2)[-2:]))
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
    parsed = list(options(words, _WGET_VALUES))
    files = tuple(value for name, value in parsed if name in ("--post-file", "--body-file"))
    texts = tuple(value for name, value in parsed if name in ("--post-data", "--body-data"))
    piped = any(file in ("-", "/dev/stdin") for file in files)
    yield from (Remote(value, program, files, texts, piped) for name, value in parsed if not name)


def _httpie(program: str, words: Sequence[str]) -> Iterator[Remote]:
    operands = [value for name, value in options(words, word_set("-a --auth -A -o --output -s -p --print")) if not name]
    if operands and operands[0].isalpha() and operands[0].isupper():
        operands = operands[1:]
    if operands:
        items = operands[1:]
        files = tuple(item.partition("@")[2] for item in items if re.match(r"[\w-]*(?:=|:=)?@", item))
        yield Remote(operands[0], program, files, tuple(item for item in items if "=" in item and "@" not in item))


HTTP_CLIENTS: Final[dict[str, Reader]] = {
    "curl": _curl,
    "wget": _wget,
    "wget2": _wget,
    "http": _httpie,
    "https": _httpie,
    "httpie": _httpie,
    "xh": _httpie,
    "xhs": _httpie,
}
