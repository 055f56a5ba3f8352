"""Places: what a path of a command is, judged by its components alone.

The working tree is where the command starts; a path in it is relative. Nothing
here looks at a disk or knows what is done at a place.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from pytest_agentreplay.guards.analysis.shell.unknown import END, first_name, globbed, without_unknown
from pytest_agentreplay.redaction.keys import words

Place: TypeAlias = Literal[
    "root",  # the whole file system
    "home",  # somebody's whole home
    "system",  # what the machine runs on
    "machine",  # installed software, mounts, data of services
    "personal",  # settings, keys and documents right below a home
    "user",  # deeper in a home
    "top",  # a whole directory below /
    "outside",  # any other place outside the working tree
    "parent",  # the directory above the working tree
    "here",  # the whole working tree
    "vcs",  # its history
    "variable",  # nobody knows
    "empty",  # a place of the worst kind if a variable is empty
    "kept",  # backups and other copies that exist to be kept
    "device",  # a disk
    "null",  # a device that forgets
    "temporary",
    "made",  # what a build or a cache makes again
    "work",  # anything else in the working tree
]

_SYSTEM: Final = words(
    "bin boot dev etc lib lib32 lib64 libx32 proc root run sbin sys usr var home Users System"
    " Library Applications efi nix private Windows windows"
)
_MACHINE: Final = frozenset(["opt", "srv", "mnt", "media", "Volumes", "snap", "cores", "data"])
_SYSTEM_BELOW: Final = re.compile(
    r"/(?:etc|boot|bin|sbin|lib(?:32|64|x32)?|proc|sys|dev|efi|run|System)/|/usr/(?:bin|sbin|lib"
    r"|lib64|libexec|share|include)(?:/?$|/\*)"
    r"|/usr/(?:s?bin|lib(?:64|exec)?)/|/var/(?:lib|log|spool|run|db|mail|backups|www)/?(?:\*|$)"
    r"|/var/(?:lib|log|spool|db|mail|backups)/|/usr/(?:local|share|src|include)(?:/(?:s?bin|lib"
    r"|\*))?$|/usr/local/(?:s?bin|lib|\*)(?:/\*)?$"
    r"|/(?:private/)?(?:etc|var)$|/var/?\*?$|/Library/|/root/\.ssh"
)
_TEMPORARY: Final = re.compile(
    r"(?:/private)?/(?:var/)?tmp/(?!\*$|\.?$).|/dev/shm/.|/var/folders/.|/run/user/\d+/."
    r"|/var/cache(?:/|$)|/var/lib/apt/lists(?:/|$)"
    r"|/var/lib/(?:dpkg/lock|apt/lists)|/root/\.cache(?:/|$)|/(?:var/)?run/[^*]+\.(?:pid|sock"
    r"|lock|socket)$|/usr/share/(?:doc|man|locale|info)(?:/|$)|/var/lib/(?:yum|dnf)(?:/|$)"
)
_DEVICE: Final = re.compile(
    r"/dev/(?:sd[a-z*?\[]|hd[a-z*?\[]|vd[a-z*?\[]|xvd|nvme|mmcblk|disk|rdisk|md\d|dm-|mapper/"
    r"|root|mem|kmem|port|sr\d|loop|nbd|zvol|vg|block/|\*)"
    r"|\\\\[.?]\\(?:physicaldrive|[a-z]:)",
    re.IGNORECASE,
)
_NULL: Final = re.compile(r"/dev/(?:null|zero|full|u?random|std(?:in|out|err)|tty\w*|fd/\d+|pts/\d+)$")
_MADE: Final = re.compile(
    r"(?:^|/)(?:\.?(?:build|cache|tmp|temp|output|artifacts?|coverage|pytest_cache|mypy_cache"
    r"|ruff_cache|tox|nox|next|nuxt|turbo|parcel-cache"
    r"|gradle|eggs|venv|terraform|hypothesis|ipynb_checkpoints|npm|yarn|trash)|_build"
    r"|build[-_.][\w.-]+|cmake-build-[\w-]+|[\w.*?+-]*\.egg-info"
    r"|dist|node_modules|target|out|obj|bin|__pycache__|\*?\.pyc|htmlcov|site|logs?|vendor"
    r"|bower_components|Pods|DerivedData|generated"
    r"|test-results|playwright-report|tmp[\w.-]+|release|debug|[\w.*-]+\.(?:log|tmp|o|pyc|bak|swp"
    r"|class|cache)|\.DS_Store|Trash)(?:/|$)",
    re.IGNORECASE,
)
_KEPT: Final = re.compile(
    r"(?:^|[/_.-])(?:backups?|prod(?:uction)?|db[-_]?dumps?|snapshots?[-_]prod|archives?[-_]prod)(?:[/_.*-]|$)",
    re.IGNORECASE,
)
_VCS: Final = re.compile(r"(?:^|/)\.(?:git|hg|svn)(?:/?(?:\*|objects(?:/.*)?|refs(?:/.*)?|HEAD|index|config)?)$")
_PERSONAL: Final = re.compile(
    r"~/(?:\.(?:ssh|gnupg|aws|azure|kube|docker|config|local|mozilla|password-store|netrc|pgpass"
    r"|vault-token|git-credentials|bitcoin|ethereum"
    r"|electrum|thunderbird|bash\w*|zsh\w*|z?profile|gitconfig|npmrc|pypirc|\*|\[)|Documents"
    r"|Desktop|Downloads|Pictures|Music|Videos|Movies|Library"
    r"|Dropbox|OneDrive|iCloud|\*|(?:work|src|code|projects?|repos?|dev|workspace|git)(?:/\*|/?$))"
)
_TEMPORARY_NAME: Final = re.compile(
    r"te?mp|build|dist|cache|out|scratch|stag|artifact|target|obj|venv|work|log|coverage|bundle"
    r"|sandbox|fixture|test|gen|pid|lock|sock|file|^[fgiptdx]$|unpack|extract|clone|checkout|dest",
    re.IGNORECASE,
)
_HOMES: Final = re.compile(r"/(?:home|Users)/[^/]+(?=/|$)|/root(?=/|$)|~[\w.-]+(?=/|$)")
_WINDOWS_ROOT: Final = re.compile(
    r"[A-Za-z]:(?:[\\/]+(?:\*(?:\.\*)?)?)?$|[A-Za-z]:[\\/]+(?:Windows|Users|Program"
    r" Files[^\\/]*|ProgramData)(?:[\\/]|$)",
    re.IGNORECASE,
)
_EVERYTHING: Final = re.compile(
    r"(?:\*+|\*\.\*|\.\*|\.\?\?\*|\.\[[^\]]*\]\*|\{\*,\.\*\}|\[\*\]|\?\*|[!@?*+]\([^)]*\*[^)]*\)|!\([^)]*\))$"
)


@lru_cache(maxsize=4096)
def place_of(path: str) -> Place:
    """Tell what a path is; the path is resolved already (see `resolve`)."""
    if END in path:
        return _unknown_place(path)
    if not path:
        return "null"
    if path[:1] not in ("/", "~", "\\") and path[1:2] != ":":
        return _relative(path)
    if _NULL.match(path):
        return "null"
    if _DEVICE.match(path):
        return "device"
    if _WINDOWS_ROOT.match(path):
        return "system"
    return _absolute(_at_home(path))


def _at_home(path: str) -> str:
    found = _HOMES.match(path)
    return "~" + path[found.end() :] if found else path


def _absolute(path: str) -> Place:
    if path[0] == "~":
        return _below_home(path)
    parts = [part for part in path.split("/") if part]
    if not parts or all(_EVERYTHING.match(part) or set(part) <= {"?", "*", "/"} for part in parts):
        return "root"
    if _TEMPORARY.match(path):
        return "temporary"
    top = parts[0]
    if top == "tmp" or path.startswith("/var/tmp"):
        return "machine"
    if len(parts) == 1 or (_EVERYTHING.match(parts[1]) and len(parts) == 2):
        return "system" if top in _SYSTEM or any(char in top for char in "*?[") else "top"
    if _SYSTEM_BELOW.match(path):
        return "system"
    if _EVERYTHING.match(top):
        return "root"
    if _VCS.search(path):
        return "vcs"
    if _MADE.search("/".join(parts[1:])):
        return "made"
    return "machine" if top in _SYSTEM or top in _MACHINE else "outside"


def _below_home(path: str) -> Place:
    parts = [part for part in path.split("/")[1:] if part]
    if not parts or (len(parts) == 1 and _EVERYTHING.match(parts[0])) or parts[0] in ("*", "?*"):
        return "home"
    if _VCS.search(path):
        return "vcs"
    if _MADE.search("/".join(parts)):
        return "made"
    if _PERSONAL.match(path) and (len(parts) <= 2 or parts[0] in (".ssh", ".gnupg", ".aws", ".kube")):
        return "personal"
    return "user"


def _relative(path: str) -> Place:
    if path in (".", "./", "./.", "") or _EVERYTHING.match(path.removeprefix("./").rstrip("/")):
        return "here"
    if path == ".." or path.startswith("../"):
        rest = re.sub(r"^(?:\.\./?)+", "", path)
        if not rest or _EVERYTHING.match(rest):
            return "parent"
        return "vcs" if _VCS.search(rest) else "made" if _MADE.search(rest) else "outside"
    if _VCS.search(path):
        return "vcs" if path.startswith(".") else "kept"  # that of something below: a template, a vendored copy
    if _KEPT.search(path) and not _MADE.search(path):
        return "kept"
    return "work"


def _unknown_place(path: str) -> Place:
    name = first_name(path)
    if name is None:
        known = place_of(globbed(path).replace(END, ""))
        return "work" if known == "here" and path not in ("*", "./*") else known
    rest = path[path.index(END) + 1 :]
    if ":" in name:
        return "variable"
    if not rest:
        return "made" if _TEMPORARY_NAME.search(name) else "variable"
    if name.endswith("!") or rest[0] not in "/*":
        return "made" if _TEMPORARY_NAME.search(name) else "work"
    empty = place_of(without_unknown(rest) or "/")
    if empty in ("root", "home", "device") or (
        empty == "system" and rest.strip("/").count("/") <= (rest.endswith("/*"))
    ):
        return "empty"
    return "made" if empty in ("made", "temporary") or _TEMPORARY_NAME.search(name) else "work"


def resolve(path: str, directory: str) -> str:
    """Join a path to the directory that a command runs in (the empty text for the working tree) and tidy it up."""
    if not path:
        return path
    if path[:1] == "$" and path.startswith(("$HOME", "${HOME}")):
        path = "~" + path.partition("HOME")[2].removeprefix("}")
    if path.startswith("file://"):
        path = path[7:]
    if path[:1] not in ("/", "~", "\x00", "\x01", "\x02") and path[1:2] != ":" and directory not in ("", "."):
        path = f"{directory.rstrip('/')}/{path}" if path not in (".", "") else directory
    if ".." not in path and "//" not in path and "/." not in path:
        if path[:2] == "./" and path[2:3] not in ("", "\x00", "\x01", "\x02", "~"):
            return path[2:]
        return path if path != "./" else "."
    return _tidied(path)


def _tidied(path: str) -> str:
    absolute = path.startswith("/")
    trailing = path.endswith("/") and path.strip("/") != ""
    kept: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == ".." and kept and kept[-1] not in ("..", "~"):
            kept.pop()
        elif part == ".." and kept[-1:] == ["~"]:
            kept[:] = ["", "home"]
        elif part == ".." and absolute:
            continue
        else:
            kept.append(part)
    joined = ("/" if absolute else "") + "/".join(kept)
    return (joined + "/" if trailing and kept else joined) or "."
