"""Stores: commands that print secrets out of a store, the environment or a key, as data.

Nothing here knows of files.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_agentreplay.guards.analysis.remotes import words_of

if TYPE_CHECKING:
    from pytest_agentreplay.guards.analysis.shell import ShellCommand

_PRINTING: Final = re.compile(
    r"(?:security find-(?:generic|internet)-password .*-[wg]|security dump-keychain|(?:gpg2?|gpg)"
    r" .*--export-secret-(?:sub)?keys"
    r"|(?:\S*/)?(?:mimikatz|lazagne|secretsdump(?:\.py)?|pypykatz|hashdump|gcore|unshadow|samdump2|keychaindump"
    r"|chainbreaker)\b"
    r"|reg(?:\.exe)? save hk(?:lm|ey_local_machine)\\?(?:sam|security|system)|procdump\S* .*lsass|secret-tool"
    r" (?:lookup|search)"
    r"|git credential(?:-\w+)? (?:fill|get)|cmdkey /list|vaultcmd /list"
    r"|kubectl (?:.* )?get secrets?\b.* (?:-o ?|--output[= ])(?:yaml|json|jsonpath|go-template|custom-columns)"
    r"|kubectl config view .*--raw|aws (?:.* )?secretsmanager (?:batch-)?get-secret-value|aws (?:.* )?ssm"
    r" get-parameters?\S* .*--with-decryption"
    r"|aws configure (?:get \S*(?:secret|token)|export-credentials)|aws iam create-access-key"
    r"|gcloud (?:.* )?secrets versions access|az (?:.* )?keyvault (?:secret|key) (?:show|download)|vault (?:kv get"
    r"|read)\b"
    r"|(?:pass|gopass) (?:show|otp|grep)\b|op (?:item get|read|document get)\b|bw (?:get|list)\b|lpass show|keyring get"
    r"|heroku config(?::get)?\b(?! -h)(?!:set)|doppler secrets(?: (?:get|download)\b|$)|infisical (?:secrets|export)"
    r"|sops (?:-d|--decrypt|decrypt)\b"
    r"|ansible-vault (?:view|decrypt)|openssl (?:rsa|ec|pkey|dsa|pkcs12)\b(?!.* -(?:noout|pubout|out|check))(?=.*"
    r" -in\b).*)",
    re.IGNORECASE,
)
_TOKENS: Final = re.compile(
    r"(?:gh auth (?:token|status .*(?:-t|--show-token))|gcloud auth (?:application-default )?print-(?:access"
    r"|identity)-token|az account get-access-token"
    r"|heroku auth:token|vault print token|glab auth status .*-t\b|doctl auth token)",
    re.IGNORECASE,
)
_SENSITIVE_NAME: Final = r"\w*(?:SECRET|TOKEN|PASSW|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIAL)\w*"
_SHOWN_VARIABLE: Final = re.compile(
    rf"(?:^|[;&|(\n]\s*)(?:echo|printf)\b[^|;&\n<>]*\$\{{?{_SENSITIVE_NAME}(?:\}}|\b)(?![^|;&\n]*[|>])", re.IGNORECASE
)
_SOUGHT: Final = re.compile(
    r"\b(?:env|printenv|set|export -p|declare -[px]+)\s*\|\s*(?:[ef]?grep|rg|awk|sed)\b[^|;&\n]*"
    r"(?:SECRET|TOKEN|PASS|API_?KEY|_KEY|\bKEY\b|CRED)",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(_SENSITIVE_NAME, re.IGNORECASE)


def prints_stored(command: ShellCommand, text: str) -> str | None:
    """Name what a command prints out of a store of secrets; None where it prints none.

    Args:
        command: one command.
        text: the whole of what it stands in: a token that another command takes at once is only used.
    """
    words = words_of(command)
    program = command.program.lower().removesuffix(".exe")
    line = " ".join((program, *words[1:]))
    if _PRINTING.match(line):
        return "stored secrets"
    if _TOKENS.match(line) and f"$({program}" not in text and f"`{program}" not in text and command.piped_into is None:
        return "a token"
    if program == "printenv" and any(_NAMED.fullmatch(word) for word in words[1:]):
        return "a secret of the environment"
    return None


def shows_environment(text: str) -> bool:
    """Tell whether a command line looks for secrets in its environment, or shows a variable that is named for one."""
    return ("$" in text and _SHOWN_VARIABLE.search(text) is not None) or (
        "|" in text and _SOUGHT.search(text) is not None
    )
