"""`jitnet completion`: a shell script that completes commands, options, their values and the names of runs."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jitnet.commands import COMMANDS
from jitnet.config import CHOICES, PRESETS
from jitnet.data.sources.known import KNOWN
from jitnet.history.curves import METRICS
from jitnet.history.read import STATUSES
from jitnet.history.select import NAMES

_NAME = "[A-Za-z0-9][A-Za-z0-9._-]*"  # of the runs that are offered: all that jitnet has named

_BASH = r"""# jitnet completion for bash: source <(jitnet completion bash)
_jitnet() {
    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" command="" runs="runs" field="" lead=""
    local i part run
    for ((i = 1; i < COMP_CWORD; i++)); do
        part="${COMP_WORDS[i]}"
        if [[ "$part" == --runs-dir ]]; then
            runs="${COMP_WORDS[i+1]}"
        elif [[ "$part" != -* ]]; then
            case "$command/$part" in
@COMMANDS@
            esac
        fi
    done
    COMPREPLY=()
    if [[ "$word" == -* ]]; then
        local options=""
        case "$command" in
@OPTIONS@
        esac
        COMPREPLY=($(compgen -W "$options" -- "$word"))
        return
    fi
    if [[ "$word" == "=" ]]; then field="$before"; word=""  # bash parts words at =
    elif [[ "$before" == "=" ]]; then field="${COMP_WORDS[COMP_CWORD-2]}"
    elif [[ "$before" == --filter && "$word" == *=* ]]; then field="${word%%=*}"; lead="$field="; word="${word#*=}"
    fi
    if [[ "$field" == --* ]]; then before="$field"; field=""; fi
    if [[ -n "$field" ]]; then
        local values=""
        case "$field" in
@FIELDS@
        esac
        for part in $(compgen -W "$values" -- "$word"); do COMPREPLY+=("$lead$part"); done
        return
    fi
    case "$command $before" in
@VALUES@
    esac
    case "$command" in
@WORDS@
        @RUNS@)
            local names="latest"
            case "$command" in
@EXTRA@
            esac
            for run in "${runs/#\~/$HOME}"/*/meta.json; do
                run="${run%/meta.json}"; run="${run##*/}"  # compgen runs what a name holds, as $(...)
                if [[ "$run" =~ ^@NAME@$ ]]; then names+=" $run"; fi
            done
            COMPREPLY=($(compgen -W "$names" -- "$word")) || true ;;
    esac
    case "$command" in
        @FILES@) COMPREPLY+=($(compgen -f -- "$word")) || true ;;
    esac
}
complete -o filenames -F _jitnet jitnet
"""
_ZSH = """# jitnet completion for zsh: source <(jitnet completion zsh)
autoload -U +X compinit && compinit -u
autoload -U +X bashcompinit && bashcompinit
"""
_FISH = r"""# jitnet completion for fish: jitnet completion fish | source
function __jitnet_words  # the words so far, without options
    string match -v -- '-*' (commandline -opc)[2..]
end
function __jitnet_is  # do they begin with these?
    set -l words (__jitnet_words)
    set -l count (count $argv)
    test (count $words) -ge $count; and test "$words[1..$count]" = "$argv"
end
function __jitnet_at  # are they just these?
    set -l words (__jitnet_words)
    test "$words" = "$argv"
end
function __jitnet_runs
    set -l runs runs
    set -l words (commandline -opc)
    if set -l place (contains -i -- --runs-dir $words)
        set runs $words[(math $place + 1)]
    end
    echo latest
    for file in $runs/*/meta.json
        string split -r -m 2 -f 2 / $file | string match -r '^@NAME@$'
    end
end
complete -c jitnet -f
"""


@dataclass(frozen=True)
class Option:
    """An option: its name, what it takes ("" nothing, "file", or "value"), the values it knows, its help."""

    name: str
    takes: str
    values: tuple[str, ...]
    help: str


@dataclass(frozen=True)
class Command:
    """A command by its words, "runs list"; what may follow it besides options."""

    name: str
    help: str
    options: tuple[Option, ...]
    words: tuple[str, ...]
    runs: bool  # names of runs
    files: bool


def run(args: argparse.Namespace) -> int:
    """Print the script and return the exit code."""
    commands = [Command("", "", (), tuple(args.commands.choices), False, False)]
    for word, parser in args.commands.choices.items():
        commands += _walk(word, COMMANDS[word][1], parser)
    script = fish(commands) if args.shell == "fish" else bash(commands)
    print(_ZSH + script.split("\n", 1)[1] if args.shell == "zsh" else script, end="")
    return 0


def bash(commands: list[Command]) -> str:
    """Return the script for bash, which zsh understands."""
    options = ['            "") options="--help --version" ;;']
    for each in commands[1:]:
        options.append(f'            "{each.name}") options="{" ".join(option.name for option in each.options)}" ;;')
    parts = {
        "COMMANDS": [
            f'                "{" ".join(words[:-1])}/{words[-1]}") command="{each.name}" ;;'
            for each in commands[1:]
            for words in [each.name.split()]
        ],
        "OPTIONS": options,
        "FIELDS": [f'            {name}) values="{" ".join(known)}" ;;' for name, known in _field_values().items()],
        "VALUES": list(_values_by_option(commands)),
        "WORDS": [
            f'        "{each.name}") COMPREPLY=($(compgen -W "{" ".join(each.words)}" -- "$word")) || true ;;'
            for each in commands
            if each.words and not each.runs
        ],
        "EXTRA": [
            f'                "{each.name}") names+=" {" ".join(each.words)}" ;;'
            for each in commands
            if each.words and each.runs
        ],
    }
    script = _BASH.replace("@NAME@", _NAME)
    for part, named in (
        ("RUNS", [each for each in commands if each.runs]),
        ("FILES", [c for c in commands if c.files]),
    ):
        script = script.replace(f"@{part}@", "|".join(f'"{each.name}"' for each in named))
    for part, lines in parts.items():
        script = script.replace(f"@{part}@", "\n".join(lines))
    return script


def _values_by_option(commands: list[Command]) -> Iterator[str]:
    """Yield the lines of the script for bash that complete the value of an option, by command where these differ."""
    found: dict[str, dict[tuple[str, tuple[str, ...]], list[str]]] = {}
    for each in commands[1:]:
        for option in each.options:
            kinds = found.setdefault(option.name, {})
            kinds.setdefault((option.takes, option.values), []).append(each.name)
    for flag, kinds in found.items():
        for (takes, values), names in kinds.items():
            parts = [f'COMPREPLY=($(compgen -W "{" ".join(values)}" -- "$word")) || true'] if values else []
            if values and values[0].endswith("="):
                parts.append("compopt -o nospace 2>/dev/null || true")
            if takes == "file":
                parts.append('COMPREPLY+=($(compgen -f -- "$word")) || true')
            if parts:
                typed = f'*" {flag}"' if len(kinds) == 1 else "|".join(f'"{name} {flag}"' for name in names)
                yield f"        {typed}) {'; '.join(parts)}; return ;;"


def fish(commands: list[Command]) -> str:
    """Return the script for fish, which shows the help next to each word."""
    helps = {each.name: each.help for each in commands}
    lines = []
    for each in commands:
        at, within = (f"-n '{f'{name} {each.name}'.strip()}'" for name in ("__jitnet_at", "__jitnet_is"))
        for word in each.words:
            lines.append(f"{at} -a {word}{_described(helps.get(f'{each.name} {word}'.strip(), ''))}")
        if each.runs:
            lines.append(f"{within} -a '(__jitnet_runs)'")
        if each.files:
            lines.append(f"{within} -F")
        for option in each.options:
            takes = {"": "", "value": " -x", "file": " -r -F"}[option.takes]
            known = f" -a '{' '.join(option.values)}'" if option.values else ""
            lines.append(f"{within} -l {option.name[2:]}{takes}{known}{_described(option.help)}")
    return _FISH.replace("@NAME@", _NAME) + "".join(f"complete -c jitnet {line}\n" for line in lines)


def _described(text: str) -> str:
    return " -d '" + text.replace("\\", "\\\\").replace("'", "\\'").replace("%%", "%") + "'" if text else ""


def _walk(name: str, help: str, parser: argparse.ArgumentParser) -> Iterator[Command]:
    """Yield what argparse knows of a command and those under it, so that nothing is missing here."""
    options: list[Option] = []
    words: tuple[str, ...] = ()
    under: list[tuple[str, str, argparse.ArgumentParser]] = []
    runs = files = False
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            words = tuple(action.choices)
            helps = {each.dest: each.help or "" for each in action._choices_actions}
            under = [(f"{name} {word}", helps.get(word, ""), each) for word, each in action.choices.items()]
        elif action.option_strings:
            options += [_option(flag, action) for flag in action.option_strings if flag.startswith("--")]
        elif action.dest in ("run_name", "run_names"):
            runs = True
        elif action.dest in ("images", "file"):
            files = True
        else:
            words += _words(name, action)
    yield Command(name, help, tuple(options), words, runs, files)
    for each in under:
        yield from _walk(*each)


def _option(flag: str, action: argparse.Action) -> Option:
    values = tuple(map(str, action.choices or _values().get(flag, ())))
    file = action.type is Path or flag == "--data"
    return Option(flag, "" if action.nargs == 0 else "file" if file else "value", values, action.help or "")


def _words(name: str, action: argparse.Action) -> tuple[str, ...]:
    """Return what a positional argument may be."""
    if action.choices:
        return tuple(map(str, action.choices))
    return {"network": tuple(PRESETS), "name": tuple(KNOWN)}.get(action.dest, ())


def _values() -> dict[str, tuple[str, ...]]:
    """Return the values of options that only their help lists."""
    return {
        "--metric": tuple(METRICS),
        "--sort": NAMES,
        "--filter": tuple(f"{name}=" for name in NAMES),
        "--data": ("auto", *KNOWN, "synthetic"),
    }


def _field_values() -> dict[str, tuple[str, ...]]:
    """Return the values of the fields of a run that `runs list --filter` compares."""
    return {"status": STATUSES, "network": tuple(PRESETS), **CHOICES}
