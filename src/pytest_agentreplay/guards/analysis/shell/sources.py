"""Which arguments of a call hold commands or code, and the facts about each.

By name (``command``, ``cmd``...), by the tool's name (``bash``, ``terminal``...), by
shape (a list that begins with a program, a program beside its ``args``), or
because the text begins with a program and reads as no sentence does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from pytest_agentreplay.guards.analysis.shell.call import Call, Frame
from pytest_agentreplay.guards.analysis.shell.deeds import KNOWN
from pytest_agentreplay.guards.analysis.shell.facts import Deed, ShellFacts
from pytest_agentreplay.guards.analysis.shell.foreign_code import WINDOWS_PROGRAMS, windows_deeds
from pytest_agentreplay.guards.analysis.shell.hidden import HIDDEN
from pytest_agentreplay.guards.analysis.shell.interpreters import INTERPRETERS, run_acts
from pytest_agentreplay.guards.analysis.shell.parser import KEYWORDS
from pytest_agentreplay.guards.analysis.shell.python_code import is_python
from pytest_agentreplay.guards.analysis.shell.sql_text import is_sql, sql_deeds
from pytest_agentreplay.guards.analysis.shell.state import BUILTINS
from pytest_agentreplay.guards.analysis.shell.tokens import deeds_of_tokens
from pytest_agentreplay.guards.analysis.shell.unknown import is_known, unmarked
from pytest_agentreplay.guards.analysis.shell.walk import Walk
from pytest_agentreplay.guards.analysis.shell.wrappers import WRAPPERS
from pytest_agentreplay.guards.analysis.spelling import hides_text
from pytest_agentreplay.redaction.keys import words

if TYPE_CHECKING:
    from pytest_agentreplay.guards.context import DecisionContext

LONGEST: Final = 200_000
LONGEST_REMEMBERED: Final = 16_384  # characters of a text whose facts are kept
_PARTS_OF_NAMES: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_COMMAND_KEYS: Final = words(
    "command cmd commands cmds script shell bash sh shell_command command_line commandline"
    " cmdline bash_command shell_script exec run_command terminal_command cmd_line shellcommand"
    " bashcommand powershell zsh console keystrokes keys stdin"
)
_CODE_KEYS: Final = words(
    "code source python python_code program snippet source_code code_block python_script input"
    " javascript js ruby perl php cell"
)
_SQL_KEYS: Final = frozenset(["sql", "query", "statement", "statements", "sql_query", "queries"])
_SEVERAL_KEYS: Final = frozenset(("commands", "cmds", "scripts", "lines"))
_PROGRAM_KEYS: Final = ("command", "cmd", "program", "executable", "binary", "exe", "file", "tool", "name")
_ARGUMENT_KEYS: Final = ("args", "argv", "arguments", "params", "parameters", "cmd_args", "command_args")
_ARGUMENTS_SET: Final = frozenset(_ARGUMENT_KEYS)
_LANGUAGE_KEYS: Final = frozenset(("language", "lang", "kernel", "interpreter"))
_ATOMS: Final = frozenset((int, float, bool, type(None)))
_DATA_KEYS: Final = words(
    "path file_path filepath filename cwd workdir working_directory working_dir dir directory"
    " description title body message content text comment prompt reason thought thoughts note"
    " notes summary commit_message old_str new_str old_string new_string file_text pattern regex"
    " url subject name id timeout explanation query_text question answer reasoning to cc"
    " recipient email user status type format language lang session_id is_background"
)
_SHELL_TOOLS: Final = words(
    "bash shell sh terminal command cmd exec execute run zsh console powershell subprocess ssh"
    " process commands tmux pwsh"
)
_CODE_TOOLS: Final = frozenset(["python", "ipython", "jupyter", "notebook", "code", "interpreter", "repl"])
_LANGUAGES: Final[dict[str, str]] = {
    name: language
    for language, names in {
        "python": "python python3 py ipython jupyter",
        "shell": "bash sh shell zsh terminal console",
        "node": "javascript js node nodejs typescript ts",
        "ruby": "ruby rb",
        "perl": "perl",
        "php": "php",
        "powershell": "powershell pwsh ps1 batch cmd",
        "sql": "sql",
        "lua": "lua",
        "Rscript": "r",
        "go": "go rust java c cpp",
    }.items()
    for name in names.split()
}
_PROSE: Final = re.compile(
    r"(?i)\b(?:the|a|an|is|are|was|please|you|your|this|that|we|our|it|should|would|could|can"
    r"|will|because|which|how|what|why|when|don't|never|always|i'm|let's|my)\b"
)
_STRUCTURAL: Final = KEYWORDS | frozenset(("export", "declare", "local", "readonly", "typeset", "alias"))
_JUDGED: Final = (
    KNOWN
    | frozenset(WRAPPERS)
    | frozenset(INTERPRETERS)
    | frozenset(HIDDEN)
    | frozenset(BUILTINS)
    | WINDOWS_PROGRAMS
    | _STRUCTURAL
)
_PROGRAMS: Final = _JUDGED | words(
    "cd echo cat ls grep mkdir cp mv touch export pip npm make cargo go java node yarn apt brew tail head set"
)
_FIRST_WORD: Final = re.compile(r"\s*(?:\$\s+|[A-Z_]\w*=\S*\s+)*([^\s;|&<>()]+)")
_COMMAND_SHAPE: Final = re.compile(r"\s-{1,2}[A-Za-z]|[|;&<>`]|\$\(|\s[~/.]|\*|://")
_ONE_WORD: Final = re.compile(r"\s*(?:\w[\w.-]*|\w+://\S*|[/~.]\S*)\s*")
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(?: [A-Za-z0-9_./:@%,+-][A-Za-z0-9_./:@%,+=-]*)*", re.ASCII)
"""One command of plain words: nothing is quoted, expanded, assigned, redirected or joined."""


def shell_facts(context: DecisionContext) -> Iterable[ShellFacts]:
    """Find the arguments of a call that hold commands or code, and tell what each would do."""
    traits = _traits(context.tool)
    return list(_in_mapping(context.args, "args", traits, 0))


@lru_cache(maxsize=1024)
def _traits(tool: str) -> tuple[bool, str]:
    """Tell from a tool's name whether it runs commands, and which language it runs."""
    parts = [part.lower() for part in _PARTS_OF_NAMES.findall(tool)]
    language = next(
        (_LANGUAGES[part] for part in parts if part in _LANGUAGES and part not in ("c", "r", "go", "cmd")), ""
    )
    if not language and not _CODE_TOOLS.isdisjoint(parts):
        language = "code"
    return not _SHELL_TOOLS.isdisjoint(parts), language


def _in_mapping(mapping: Mapping[str, Any], path: str, traits: tuple[bool, str], depth: int) -> Iterator[ShellFacts]:
    told = None
    if not _LANGUAGE_KEYS.isdisjoint(mapping):
        told = mapping.get("language") or mapping.get("lang") or mapping.get("kernel") or mapping.get("interpreter")
    language = _LANGUAGES.get(told.lower(), "") if isinstance(told, str) else ""
    taken = ""
    if depth < 8 and not _ARGUMENTS_SET.isdisjoint(mapping):
        for key in _PROGRAM_KEYS:
            if key in mapping and isinstance(mapping[key], str) and (words := _beside(mapping, key)) is not None:
                taken = key
                yield _of_words([mapping[key], *words], f"{path}.{key}")
                break
    for key, value in mapping.items():
        kind = type(value)
        if kind is str:
            if key != taken and value and (len(value) > 1):
                facts = _of_text(key, value, f"{path}.{key}", traits, language)
                if facts is not None:
                    yield facts
        elif kind not in _ATOMS and (kind is dict or kind is list or kind is tuple or isinstance(value, Mapping)):
            yield from _in_other(key, value, f"{path}.{key}", traits, depth)


def _in_other(key: str, value: Any, path: str, traits: tuple[bool, str], depth: int) -> Iterator[ShellFacts]:
    if depth > 8:
        return
    if type(value) is dict or isinstance(value, Mapping):
        yield from _in_mapping(value, path, traits, depth + 1)
        return
    if value and all(type(item) is str for item in value):
        yield from _in_list(key.lower(), value, path, traits)
        return
    for index, item in enumerate(value[:64]):
        if type(item) is dict or isinstance(item, Mapping | list):
            yield from _in_other(key, item, f"{path}[{index}]", traits, depth + 1)


def _in_list(key: str, words: list[str], path: str, traits: tuple[bool, str]) -> Iterator[ShellFacts]:
    """Take a list of texts for the words of one command, or for commands one by one."""
    first = words[0].rpartition("/")[2]
    several = key in _SEVERAL_KEYS or any(char in words[0].strip() for char in " ;|&\n")
    if not several and (
        key in _COMMAND_KEYS or (first in _PROGRAMS and (key in _ARGUMENT_KEYS or _is_argv(key, words)))
    ):
        yield _of_words(words, path)
    elif key in _COMMAND_KEYS:
        for index, word in enumerate(words[:64]):
            facts = _of_text(key, word, f"{path}[{index}]", traits, "")
            if facts is not None:
                yield facts


def _is_argv(key: str, words: list[str]) -> bool:
    return len(words) > 1 and key not in _DATA_KEYS and _COMMAND_SHAPE.search(" ".join(words)) is not None


def _beside(mapping: Mapping[str, Any], key: str) -> list[str] | None:
    """Give the arguments that stand beside a program; None where there are none."""
    program = mapping[key]
    if " " in program.strip() or not program:
        return None
    for name in _ARGUMENT_KEYS:
        given = mapping.get(name)
        if (
            isinstance(given, list)
            and given
            and all(isinstance(word, str) for word in given)
            and (program.rpartition("/")[2] in _PROGRAMS or "/" in program)
        ):
            return given
        if isinstance(given, str) and given and program.rpartition("/")[2] in _PROGRAMS:
            return given.split()
    return None


def _of_text(key: str, text: str, path: str, traits: tuple[bool, str], language: str) -> ShellFacts | None:
    name = key if key.islower() else re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()
    runs, tool_language = traits
    spoken = language or (tool_language if tool_language != "code" else "")
    if name in _COMMAND_KEYS:
        if spoken and spoken not in ("shell", "sql") and is_code_of(text, spoken):
            return facts_of(text, path, spoken)
        return facts_of(text, path, "shell" if name != "powershell" else "powershell")
    if name in _SQL_KEYS or spoken == "sql":
        return facts_of(text, path, "sql") if is_sql(text) else None
    if name in _CODE_KEYS:
        return _of_code(
            text,
            path,
            spoken or ("python" if name.startswith("py") else ""),
            certain=runs or tool_language != "" or name != "input",
        )
    if name in _DATA_KEYS:
        return None
    if spoken and spoken != "shell" and len(text) > 8 and tool_language:
        return facts_of(text, path, spoken) if is_code_of(text, spoken) else None
    if runs and (_looks_like_command(text) or (_first_program(text) is not None and not _PROSE.search(text))):
        return facts_of(text, path, "shell")
    return facts_of(text, path, "shell", certain=False) if _looks_like_command(text) else None


def is_code_of(text: str, language: str) -> bool:
    """Tell whether a text may be of a language; only Python is looked at closely, a lone word or address is none."""
    return is_python(text) if language == "python" else _ONE_WORD.fullmatch(text) is None


def _of_code(text: str, path: str, language: str, *, certain: bool) -> ShellFacts | None:
    if language in ("", "code", "python"):
        first = _first_program(text)
        if is_python(text) and not (
            language == ""
            and first is not None
            and first in _PROGRAMS
            and _COMMAND_SHAPE.search(text)
            and "(" not in text
        ):
            return facts_of(text, path, "python", certain=certain)
        if language == "python" and first is None:
            return facts_of(text, path, "python", certain=certain)
        if first is not None and (_looks_like_command(text) or text.startswith("#!")):
            return facts_of(text, path, "shell", certain=certain)
        if text.startswith("{") and "command" in text:
            return _of_json(text, path)
        return facts_of(text, path, "node", certain=certain) if "(" in text and certain else None
    return facts_of(text, path, language, certain=certain)


def _of_json(text: str, path: str) -> ShellFacts | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return next(_in_mapping(value, path, (False, ""), 1), None) if isinstance(value, dict) else None


def _first_program(text: str) -> str | None:
    found = _FIRST_WORD.match(text)
    if not found:
        return None
    name = found[1].rpartition("/")[2]
    return name if name in _PROGRAMS else None


def _looks_like_command(text: str) -> bool:
    """Tell whether a text that nothing names a command reads as one: a program, then no sentence."""
    first = _first_program(text[:400])
    if first is None or len(text) > 4000:
        return False
    head = text.lstrip().split("\n", 1)[0][:300]
    if not _COMMAND_SHAPE.search(head):
        return False
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", head)
    return not _PROSE.search(bare) and not re.search(r"[a-z]{2,}[.!?](?:\s+[A-Z]|$)(?<!\.\.)|,\s[a-z]+\s[a-z]+", bare)


def facts_of(text: str, source: str, language: str = "shell", *, certain: bool = True) -> ShellFacts:
    """Give the facts about one text.

    Args:
        text: a script, or code.
        source: the path of the argument that it is.
        language: ``shell``, ``python``, ``sql``, ``powershell``, or a language that is only looked through.
        certain: whether the argument is a command by its name or its tool.
    """
    analysed = _analysed if len(text) <= LONGEST_REMEMBERED else _analysed.__wrapped__
    return analysed(text, source, language, certain)


@lru_cache(maxsize=512)
def _analysed(text: str, source: str, language: str, certain: bool) -> ShellFacts:
    if language == "sql":
        deeds = list(sql_deeds(text))
        return _facts(Walk(), text, source, language, certain, deeds)
    if language == "shell" and _PLAIN.fullmatch(text):
        words = text.split()
        if words[0] not in _JUDGED and words[0].lower() not in WINDOWS_PROGRAMS and "stratum" not in text:
            return _of_quiet(words, text, source, certain)
        if words[0] in _STRUCTURAL or "-recurse" in text.lower():
            return _followed(text, source, language, certain)
        walk = Walk()
        walk.execute(words, Frame())
        walk.variables.forget()
        return _facts(walk, text, source, language, certain, _of_windows(walk, text))
    return _followed(text, source, language, certain)


def _of_quiet(words: list[str], text: str, source: str, certain: bool) -> ShellFacts:
    """Give the facts about one command of plain words whose program is nothing that is judged."""
    call = Call(words[0], words[1:])
    command = call.command()
    return ShellFacts(source, "shell", text, (words[0],), (command,), command.flags, call.operands, certain=certain)


def _followed(text: str, source: str, language: str, certain: bool) -> ShellFacts:
    walk = Walk()
    # A shell leaves NUL out; a blank that doesn't break is one that was copied from a page.
    script = unmarked(text[:LONGEST].replace("\x00", "").replace("\xa0", " "))
    extra: list[Deed] = []
    if len(text) > LONGEST:
        walk.problems.append("it is too long to be read to its end")
    if language == "shell":
        walk.text(_without_prompt(script))
        walk.finish()
        extra += _of_windows(walk, script)
    else:
        run_acts(walk, Call(language, [], Frame()), script, language)
        if language != "powershell":
            extra += _of_windows(walk, script.replace("\\\\", "\\"))
    walk.variables.forget()
    if hides_text(text):
        extra.append(Deed("obfuscation", "high", "", "holds characters that nobody sees"))
    return _facts(walk, text, source, language, certain, extra)


def _of_windows(walk: Walk, script: str) -> list[Deed]:
    """Give what a script does by programs that only Windows has."""
    named = not WINDOWS_PROGRAMS.isdisjoint([name.lower() for name in walk.programs])
    return list(windows_deeds(script)) if named or "-recurse" in script.lower() else []


def _without_prompt(script: str) -> str:
    """Take off the prompt that examples are copied with."""
    return re.sub(r"(?m)^\s*\$\s+(?=\w)", "", script) if script.lstrip().startswith("$ ") else script


def _facts(walk: Walk, text: str, source: str, language: str, certain: bool, extra: list[Deed]) -> ShellFacts:
    may_harm = False
    if walk.problems:
        unfinished = any(problem.startswith("it ") for problem in walk.problems)
        guessed = deeds_of_tokens(text)
        may_harm = unfinished or bool(guessed)
        extra = [*extra, *guessed] if unfinished else extra
    deeds = tuple(dict.fromkeys((*walk.deeds, *extra)))
    flags: dict[str, None] = {}
    targets: dict[str, None] = {}
    commands = tuple([call.command() for call in walk.calls])
    for call, command in zip(walk.calls, commands, strict=True):
        flags.update(dict.fromkeys(command.flags))
        for word in (*call.operands, *[each.target for each in call.frame.redirects if each.operator[:2] != "<<"]):
            if is_known(word):
                targets[call.path(word) if "/" in word or word[:1] in "~." else word] = None
    problems = tuple(dict.fromkeys(walk.problems))
    effects = dict.fromkeys(deed.effect for deed in deeds)
    return ShellFacts(
        source,
        language,
        text,
        tuple(name for name in walk.programs if name),
        commands,
        tuple(flags),
        tuple(targets),
        tuple(effects),
        deeds,
        bool(problems),
        "; ".join(problems),
        may_harm,
        certain,
    )


def _of_words(words: list[str], source: str) -> ShellFacts:
    return _analysed_words(tuple(words), source)


@lru_cache(maxsize=1024)
def _analysed_words(words: tuple[str, ...], source: str) -> ShellFacts:
    walk = Walk()
    walk.execute([unmarked(word) for word in words], Frame())
    walk.finish()
    walk.variables.forget()
    return _facts(walk, " ".join(words), source, "shell", True, [])
