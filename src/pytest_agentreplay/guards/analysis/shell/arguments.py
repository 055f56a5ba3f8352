"""Arguments: a command's flags, the values they take, and what is left over.

Short bundles are split, `--name=value` is parted, `--` ends the flags. Which
flags take a value is known for the programs that are judged by what is left.
Nothing here knows what a flag does.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pytest_agentreplay.redaction.keys import words

_GIT: Final = (
    "-C -c --git-dir --work-tree --namespace --exec-path -m --message -b -B --author --date -F"
    " --onto -x --exec --depth --branch -n"
)
VALUED: Final[dict[str, frozenset[str]]] = {
    program: frozenset(flags.split())
    for programs, flags in {
        "curl": "-o --output -d --data --data-raw --data-binary --data-urlencode --data-ascii --json -X"
        " --request -H --header -A --user-agent -u"
        " --user -F --form -T --upload-file -e --referer -x --proxy -b --cookie -c --cookie-jar -K"
        " --config -m --max-time -w --write-out"
        " --connect-timeout --retry --resolve --cacert --cert --key -E --output-dir -Y -y -z -r"
        " --range --url --retry-delay --limit-rate --form-string",
        "wget": "-O --output-document -o --output-file -P --directory-prefix -U --user-agent --header"
        " --post-data --post-file --method --body-data"
        " --body-file -i --input-file -e --execute -t --tries -T --timeout -Q -l --level -A -R -D -I"
        " -X --user --password",
        "git": _GIT,
        "kubectl oc": "-n --namespace -f --filename -l --selector -o --output --context --cluster --kubeconfig"
        " --user -s --server --as --field-selector"
        " --timeout --grace-period -c --container --token --replicas -p --patch --type -k --kustomize",
        "helm": "-n --namespace --kube-context --kubeconfig -f --values --set --version --timeout",
        "docker podman nerdctl": "-H --host --context -c --config -l --log-level --file -p --project-name --profile"
        " --env-file --project-directory",
        "docker-compose podman-compose": "-H --host --context -f --file -p --project-name --profile --env-file"
        " --project-directory --ansi --parallel",
        "perl ruby": "-e -E -M -m -I -r",
        "psql": "-c --command -d --dbname -h --host -p --port -U --username -f --file -v --set --variable -o"
        " --output -F -P -R -T -L",
        "mysql mariadb": "-e --execute -h --host -u --user -P --port -D --database --defaults-file"
        " --defaults-extra-file -S --socket",
        "sqlite3": "-cmd -separator -init -newline -nullvalue",
        "chmod chown chgrp": "--reference --from",
        "dd": "",
        "find": "",
        "rsync": "-e --rsh --exclude --include --exclude-from --include-from --files-from --filter -f"
        " --rsync-path --port --password-file --bwlimit"
        " --backup-dir --link-dest --log-file --timeout --partial-dir --temp-dir -T --chmod --chown"
        " --info --out-format --max-size --min-size",
        "scp sftp": "-P -i -F -o -l -c -J -S -D -X",
        "tar bsdtar": "-f --file -C --directory -T --files-from -X --exclude-from --exclude --transform -I"
        " --use-compress-program --to-command"
        " --checkpoint-action --strip-components --owner --group --mode",
        "truncate": "-s --size -r --reference -o",
        "shred": "-n --iterations -s --size --random-source",
        "sed gsed": "-e --expression -f --file -l --line-length",
        "kill": "-s --signal -n",
        "pkill pgrep": "-s --signal -u --euid -U --uid -t --terminal -g --pgroup -P --parent -G --group -F"
        " --pidfile --ns",
        "killall": "-s --signal -u --user -o -y --older-than --younger-than -n --ns",
        "nc ncat netcat nc.traditional nc.openbsd": "-e --exec -c --sh-exec -p --source-port -w --wait -s --source"
        " -i --interval -x -X -q -I -O -T -m -g -G --lua-exec",
        "mkfs mkswap mke2fs": "-t --type -L -U -b -i -I -m -N -O -E -F",
        "gsutil": "-o -h -u",
        "aws awslocal": "--profile --region --output --endpoint-url --query --ca-bundle --cli-read-timeout"
        " --cli-connect-timeout --cli-binary-format --color",
        "pulumi": "-C --cwd --color --stack -s --config -c --config-file -m --message -p --parallel -t --target",
        "ibmcloud": "-r -g -c -o -s --output",
        "gcloud": "--project --account --configuration --format --verbosity --impersonate-service-account",
        "ln": "-S --suffix -t --target-directory",
        "cp mv install": "-S --suffix -t --target-directory -m --mode -o --owner -g --group",
        "tee": "",
        "crontab": "-u",
        "useradd adduser usermod": "-G --groups -g --gid -u --uid -s --shell -d --home -c --comment -p --password"
        " -e -f -k -K --ingroup --gecos",
        "chsh chage": "-s --shell -d -E -I -m -M -W -R",
        "redis-cli": "-h -p -a -n -u --user --pass -s -x -r -i -c",
        "mongosh mongo": "--eval -u --username -p --password --host --port --authenticationDatabase -f --file",
    }.items()
    for program in programs.split()
}
_WHOLE: Final = words(
    "find terraform tofu terragrunt java openssl go gcloud aws ffmpeg convert packer nomad"
    " consul vault security defaults osascript sqlite3 socat"
)
"""Programs whose long flags have one dash: nothing there is a bundle."""
_NONE: Final = frozenset[str]()


class Parted(NamedTuple):
    """Arguments by what they are; `values` holds the last value of a flag."""

    flags: frozenset[str]
    operands: tuple[str, ...]
    values: dict[str, str]


def part_arguments(program: str, args: list[str]) -> Parted:
    """Part the arguments of a program."""
    valued = VALUED.get(program, _NONE)
    flags: set[str] = set()
    operands: list[str] = []
    values: dict[str, str] = {}
    waiting = ""
    for place, word in enumerate(args):
        if waiting:
            values[waiting] = word
            waiting = ""
        elif word == "--":
            operands += args[place + 1 :]
            break
        elif word[:1] != "-" or len(word) == 1:
            operands.append(word)
        else:
            waiting = _flag(program, word, valued, flags, values)
    return Parted(frozenset(flags), tuple(operands), values)


def _flag(program: str, word: str, valued: frozenset[str], flags: set[str], values: dict[str, str]) -> str:
    if word[1] == "-":
        name, equals, value = word.partition("=")
        flags.add(name)
        if equals:
            values[name] = value
            return ""
        return name if name in valued else ""
    flags.add(word)
    if program in _WHOLE:
        name, equals, value = word.partition("=")
        if equals:
            flags.add(name)
            values[name] = value
        return word if word in valued else ""
    for index in range(1, len(word)):
        letter = "-" + word[index]
        flags.add(letter)
        if letter in valued:
            if word[index + 1 :]:
                values[letter] = word[index + 1 :]
                return ""
            return letter
    return ""
