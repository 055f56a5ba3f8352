"""Places: which files hold secrets, by their resolved paths, as data; and which globs reach one.

Nothing here knows who asks for a file or what for.
"""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

from pytest_agentreplay.guards.analysis.signals import may_be_place


class Place(NamedTuple):
    """A place where secrets are.

    Attributes:
        what: what is there.
        pattern: matches the end of a resolved path in lower case.
        sure: nothing else is called so; where not, a certificate or an example may well be.
    """

    what: str
    pattern: str
    sure: bool = True


_BROWSERS: Final = (
    r"(?:\.mozilla/firefox|\.thunderbird|firefox/profiles|mozilla/firefox/profiles|google-chrome[\w-]*"
    r"|google/chrome[\w ]*|chromium"
    r"|bravesoftware/brave-browser|microsoft/edge|microsoft-edge[\w-]*|opera software/opera[\w ]*|vivaldi|arc/user"
    r" data|chrome/user data)"
)
_KEY_NAMES: Final = r"id_(?:rsa|dsa|ecdsa|ed25519|ecdsa_sk|ed25519_sk|xmss)"

LOGINS: Final = "the list of keys that may log in"
PRIVATE_KEY: Final = "a private key"

PLACES: Final = (
    Place("an SSH private key", rf"(?:^|/){_KEY_NAMES}(?:[._-](?!pub$)[\w-]+)?"),
    Place("SSH keys", r"(?:^|/)\.ssh(?:/(?!known_hosts|config$|config\.d|authorized_keys2?$|[^/]*\.pub$)[^/]+)"),
    Place(LOGINS, r"\.ssh/authorized_keys2?", sure=False),
    Place("SSH host keys", r"etc/ssh/ssh_host_[a-z0-9]+_key"),
    Place("SSH keys", r"(?:^|[~/])\.ssh"),
    Place(
        "an environment file",
        r"(?:^|/)\.env(?:\.(?!example|sample|template|dist|tpl|defaults?|schema|test\.example|md$|d\.ts$)[\w.-]+)?",
    ),
    Place(
        "an environment file",
        r"(?:^|/)(?!example|sample|template|test|\.)[\w-]+\.env(?:\.(?:local|prod|production|staging))?",
        sure=False,
    ),
    Place("an environment file", r"(?:^|/)\.(?:envrc|dev\.vars|flaskenv)"),
    Place("AWS credentials", r"(?:^|/)\.aws(?:/(?:credentials|config|sso/cache|cli/cache).*)?"),
    Place(
        "cloud credentials",
        r"(?:^|/)(?:\.config/gcloud|appdata/roaming/gcloud|\.azure|\.oci|\.aliyun|\.bluemix|\.linode-cli"
        r"|\.config/doctl)(?:/.*)?",
    ),
    Place("application credentials", r"(?:^|/)application_default_credentials\.json"),
    Place(
        "a service account",
        r"(?:^|/)(?:[\w.-]*service[-_]?accounts?[\w.-]*|[\w.-]*credentials?|client_secrets?[\w.-]*|[\w.-]*-(?:sa|key)"
        r"|gcp[\w-]*key|[\w.-]*firebase-adminsdk[\w.-]*)\.json",
    ),
    Place(
        "a credentials file",
        r"(?:^|/)(?:credentials|\.?secrets?|passwords?)(?:\.(?:ya?ml|toml|ini|json|env|txt|csv|xml|properties|kdbx|db"
        r"|enc))?",
        sure=False,
    ),
    Place(
        "passwords",
        r"(?:^|/)(?:\.netrc|_netrc|\.pgpass|pgpass\.conf|\.my\.cnf|\.mylogin\.cnf|\.git-credentials|\.htpasswd"
        r"|\.s3cfg|\.boto|\.vault-token|\.mongorc\.js|\.rediscli_auth|\.cifs-?credentials|\.smbcredentials|etc/mysql/debian\.cnf|etc/ppp/(?:chap|pap)-secrets|\.?vault[-_]?pass(?:word)?(?:\.txt)?"
        r"|\.authinfo(?:\.gpg)?)",
    ),
    Place(
        "a registry's token",
        r"(?:^|/)(?:\.npmrc|\.pypirc|\.yarnrc(?:\.yml)?|\.gem/credentials|\.cargo/credentials(?:\.toml)?"
        r"|\.nuget/(?:nuget/)?nuget\.config|\.subversion/auth/.+|\.m2/settings(?:-security)?\.xml|\.gradle/gradle\.properties|\.composer/auth\.json"
        r"|composer/auth\.json|\.bundle/config|\.terraformrc|\.terraform\.d/credentials\.tfrc\.json|pip/pip\.conf)",
    ),
    Place(
        "tokens of the git forge",
        r"(?:^|/)(?:\.config/gh/hosts\.yml|gh/hosts\.yml|\.config/glab-cli/config\.yml|\.config/git/credentials"
        r"|\.config/hub)",
    ),
    Place(
        "a Docker login",
        r"(?:^|/)(?:\.docker/config\.json|\.dockercfg|\.config/containers/auth\.json|containers/auth\.json)",
    ),
    Place(
        "a cluster's credentials",
        r"(?:^|/)(?:\.kube(?:/config.*)?|kubeconfig(?:\.ya?ml)?|[\w-]+\.kubeconfig|etc/kubernetes/(?:admin"
        r"|super-admin|controller-manager|scheduler|kubelet)\.conf|etc/rancher/k3s/k3s\.yaml)",
    ),
    Place("a cluster's secrets", r"(?:^|/)(?:run/secrets/(?!$).+|var/run/secrets/.+|etc/kubernetes/pki/.+\.key)"),
    Place(
        "a terraform state",
        r"(?:^|/)(?:[\w.-]*\.tfstate(?:\.backup|\.d/.*)?|terraform\.tfvars(?:\.json)?|[\w.-]+\.auto\.tfvars)",
    ),
    Place("variables of terraform", r"(?:^|/)[\w.-]+\.tfvars(?:\.json)?", sure=False),
    Place(
        "a directory of secrets", r"(?:^|/)\.?secrets/[^/]+\.(?:ya?ml|json|env|txt|toml|key|pem|conf|ini)", sure=False
    ),
    Place(
        "GnuPG keys", r"(?:^|[~/])(?:\.gnupg(?:/.*)?|secring\.gpg|[\w.-]*(?:private|secret)[\w.-]*\.(?:gpg|asc|pgp))"
    ),
    Place(
        "the system's password hashes",
        r"(?:^|/)(?:etc/)?(?:shadow-?|gshadow-?|master\.passwd|opasswd)(?<=shadow|hadow-|passwd)",
    ),
    Place(
        "the system's password hashes",
        r"(?:^|/)(?:etc/(?:sudoers|security/opasswd)|windows/system32/config/(?:sam|system|security)"
        r"|windows/repair/sam|ntds\.dit|etc/krb5\.keytab|[\w.-]+\.keytab)",
    ),
    Place(
        "a process's environment",
        r"proc/(?:self|thread-self|[0-9]+|\*|\$\w+|\$\$)(?:/task/[0-9]+)?/(?:environ|mem|maps)",
    ),
    Place(
        "a keychain",
        r"(?:^|/)(?:library/keychains(?:/.*)?|[\w.-]+\.keychain(?:-db)?|\.local/share/keyrings(?:/.*)?"
        r"|\.gnome2/keyrings(?:/.*)?|\.local/share/kwalletd(?:/.*)?|\.password-store(?:/.*)?|[\w.-]+\.kdbx?"
        r"|appdata/(?:roaming|local)/microsoft/(?:credentials|protect|vault)(?:/.*)?|\.config/1password(?:/.*)?"
        r"|\.1password(?:/.*)?|\.config/bitwarden(?: cli)?(?:/.*)?|\.config/op(?:/.*)?)",
    ),
    Place(
        "a browser's profile",
        rf"{_BROWSERS}(?:/.*)?/(?:logins\.json|key[34]\.db|signons\.sqlite|cookies(?:\.sqlite)?|login data[\w ]*"
        r"|web data|local state|history|places\.sqlite|network/cookies)",
    ),
    Place(
        "a browser's profile",
        r"(?:^|[~/])(?:\.mozilla/firefox|\.config/(?:google-chrome|chromium|bravesoftware)|library/application"
        r" support/(?:google/chrome|firefox|bravesoftware)|library/cookies)(?:/[^/]+)?(?:/default)?",
    ),
    Place("a browser's logins", r"(?:^|/)(?:logins\.json|key4\.db|login data|signons\.sqlite|cookies\.sqlite)"),
    Place(
        "a wallet",
        r"(?:^|/)(?:wallet\.dat|\.ethereum/keystore(?:/.*)?|\.bitcoin/wallet.*|\.electrum/wallets(?:/.*)?"
        r"|\.config/solana/id\.json|\.solana/id\.json|metamask[\w/]*)",
    ),
    Place(
        "a VPN's keys",
        r"(?:^|/)(?:etc/wireguard(?:/.*\.conf|/.*key)?|etc/openvpn/.*\.(?:key|ovpn|conf)|[\w.-]+\.ovpn"
        r"|etc/ipsec\.secrets)",
    ),
    Place(
        "an agent's or an editor's login",
        r"(?:^|/)(?:\.claude/\.credentials\.json|\.codex/auth\.json|\.config/github-copilot/(?:hosts|apps)\.json"
        r"|\.gemini/oauth_creds\.json|\.huggingface/token|\.cache/huggingface/token|\.config/openai.*|\.openai.*"
        r"|\.netlify/config\.json|\.fly/config\.yml|\.vercel/auth\.json|\.config/stripe/config\.toml"
        r"|\.config/rclone/rclone\.conf|\.wandb/settings|\.kaggle/kaggle\.json|\.databrickscfg|\.snowsql/config"
        r"|\.dbt/profiles\.yml|\.circleci/cli\.yml|\.config/heroku.*|\.ngrok2?/ngrok\.yml|\.sentryclirc)",
    ),
    Place(
        "a shell's history",
        r"(?:^|[~/])\.(?:bash|zsh|sh|python|psql|mysql|node_repl|rediscli|ash|ksh|irb|sqlite)_history"
        r"|fish/fish_history",
        sure=False,
    ),
    Place(
        "a web application's secrets",
        r"(?:^|/)(?:wp-config\.php|config/(?:master\.key|credentials\.yml\.enc|secrets\.yml|database\.yml)"
        r"|localsettings\.php|appsettings\.(?:production|secrets?)\.json|secrets\.(?:json|ya?ml|toml)|vault\.(?:ya?ml"
        r"|json)|jenkins/secrets/.+|credentials\.xml|\.streamlit/secrets\.toml)",
    ),
    Place(
        PRIVATE_KEY,
        r"(?:^|/)(?![^/]*(?:\bcert|[-_.]cert|^cert|public|chain|bundle|cacert|ca-|rootca|\bca\b|dhparam|csr"
        r"|\bcrt))[^/]+\.(?:pem|key|p12|pfx|jks|keystore|ppk|p8|asc\.key|pvk)",
        sure=False,
    ),
)

_PUBLIC: Final = re.compile(
    r"(?i)\.(?:pub|md|rst|example|sample|template|dist|html|1|crt|cer)$|(?:^|/)(?:known_hosts"
    r"|authorized_keys\.example)$"
)
_COMPILED: Final = tuple((re.compile(rf"(?:{place.pattern})$"), place) for place in PLACES)
_ANY: Final = re.compile("|".join(f"(?:{place.pattern})$" for place in PLACES))
_CODE_DIRECTORIES: Final = re.compile(
    r"(?:^|/)(?:node_modules|site-packages|dist-packages|\.venv|vendor|fixtures|testdata|examples?)/"
)
_BACKUP: Final = re.compile(r"(?:\.(?:bak|backup|old|orig|save|swp|copy|1|tmp)|~)$")
_GLOB: Final = re.compile(r"[*?\[{]")
_MOST_BRACES: Final = 16  # parts of a glob that is expanded in earnest
_LONGEST_PATH: Final = 512  # characters that are looked at
_BRACES: Final = re.compile(r"\{([^{}]*,[^{}]*)\}")
_REACHED: Final = (  # what a glob may be after, one example of each sort
    "~/.ssh/id_rsa",
    "~/.ssh/id_ed25519",
    "id_rsa",
    "id_ed25519",
    "~/.aws/credentials",
    ".aws/credentials",
    "/etc/shadow",
    "/etc/gshadow",
    ".env",
    ".env.production",
    ".env.local",
    "~/.netrc",
    ".netrc",
    "~/.npmrc",
    ".npmrc",
    "~/.pypirc",
    "~/.git-credentials",
    ".git-credentials",
    "~/.kube/config",
    ".kube/config",
    "~/.docker/config.json",
    "~/.gnupg/secring.gpg",
    "/proc/1/environ",
    "/proc/self/environ",
    "terraform.tfstate",
    "~/.bash_history",
    "server.key",
    "private.pem",
)
_LEAST_WRITTEN: Final = 3  # letters a glob has to spell of a secret's path and of its name, or it is after everything


@lru_cache(maxsize=4096)
def secret_place(path: str) -> Place | None:
    """Tell what secrets a resolved path, or a glob, leads to; None where none are known."""
    if not may_be_place(path):
        return None
    if len(path) > _LONGEST_PATH:  # longer than people's paths are: what it names is at one of its ends
        path = path[: _LONGEST_PATH // 2] + path[-_LONGEST_PATH // 2 :]
    lowered = path.lower()
    if _GLOB.search(lowered):
        return _reached(lowered) or (_find(lowered) if lowered.count("*") <= 2 else None)
    return _find(lowered)


def _find(lowered: str) -> Place | None:
    if _PUBLIC.search(lowered) or _CODE_DIRECTORIES.search(lowered):
        return None
    for candidate in (lowered, _BACKUP.sub("", lowered)):
        if _ANY.search(candidate):
            return next(place for pattern, place in _COMPILED if pattern.search(candidate))
    return None


def _reached(glob: str) -> Place | None:
    for spelled in _without_braces(glob):
        absolute = spelled.lstrip("./") if spelled.startswith("..") else spelled
        if not _GLOB.search(spelled):
            if (place := _find(spelled)) is not None:
                return place
            continue
        if not _is_aimed(spelled):
            continue
        for example in _REACHED:
            if _matches(absolute, example) and (place := _find(example)) is not None:
                return place
    return None


def _matches(glob: str, example: str) -> bool:
    parts, names = glob.split("/"), example.split("/")
    if len(parts) > len(names):
        parts = parts[-len(names) :]
    return len(parts) == len(names) and all(map(_part_matches, parts, names))


def _part_matches(part: str, name: str) -> bool:
    if name.startswith(".") and part[:1] in ("*", "?"):  # a shell's wildcard takes no leading dot
        return False
    return _pattern_of(part).match(name) is not None


@lru_cache(maxsize=1024)
def _pattern_of(part: str) -> re.Pattern[str]:
    return re.compile(translate(part.replace("[^", "[!")))


def _is_aimed(glob: str) -> bool:
    letters = re.sub(r"\[[^\]]*\]|[*?]|[^a-z0-9]", "", glob)
    last = re.sub(r"[*?]", "", glob.rpartition("/")[2])
    if re.fullmatch(
        r"(?:.*/)?\.(?:e[nv?*]|n[e?*]|a[w?*]|s[s?*])\S*", glob
    ):  # hidden files, two letters of which are enough
        return True
    return (
        (len(letters) >= _LEAST_WRITTEN and len(last) >= 2)
        or "/.ssh/" in glob
        or "/.aws/" in glob
        or "/.gnupg/" in glob
    )


def _without_braces(glob: str) -> list[str]:
    """Expand ``{a,b}`` as a shell does, up to sixty-four ways, and only two where there are many of them."""
    parts = _BRACES.split(glob)
    if len(parts) == 1:
        return [glob]
    choices = [part.split(",") if index % 2 else [part] for index, part in enumerate(parts)]
    return [
        "".join(choice)
        for choice, _ in zip(product(*choices), range(64 if len(parts) < _MOST_BRACES else 2), strict=False)
    ]
