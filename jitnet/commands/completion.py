"""`jitnet completion`: a shell script that completes commands, options and the names of runs."""

import argparse
from typing import Any

_BASH = r"""# jitnet completion for bash: source <(jitnet completion bash)
_jitnet() {
    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" command="" runs="runs" i part run
    for ((i = 1; i < COMP_CWORD; i++)); do
        part="${COMP_WORDS[i]}"
        if [[ "$part" == --runs-dir ]]; then
            runs="${COMP_WORDS[i+1]}"
        elif [[ "$part" != -* && ( -z "$command" || ( "$command" == runs && "$part" =~ ^(list|show|compare|plot)$ )
                || ( "$command" == data && "$part" =~ ^(status|fetch|clear)$ )
                || ( "$command" == export && "$part" =~ ^(weights|cpp)$ ) ) ]]; then
            command="${command:+$command }$part"
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
    case "$before" in
@VALUES@
        --runs-dir|--config|--out) COMPREPLY=($(compgen -f -- "$word")); return ;;
    esac
    case "$command" in
@WORDS@
        @RUNS@)
            local names="latest"
            for run in "${runs/#\~/$HOME}"/*/meta.json; do
                if [[ -e "$run" ]]; then run="${run%/meta.json}"; names+=" ${run##*/}"; fi
            done
            COMPREPLY=($(compgen -W "$names" -- "$word"))
            if [[ "$command" == predict ]]; then COMPREPLY+=($(compgen -f -- "$word")); fi ;;
    esac
}
complete -o filenames -F _jitnet jitnet
"""
_ZSH = """# jitnet completion for zsh: source <(jitnet completion zsh)
autoload -U +X compinit && compinit -u
autoload -U +X bashcompinit && bashcompinit
"""


def add_parser(subparsers: Any) -> None:
    """Add `completion` to the command line."""
    parser = subparsers.add_parser("completion", help="print a script for completion in bash or zsh")
    parser.add_argument("shell", choices=("bash", "zsh"), help="as in: source <(jitnet completion bash)")
    parser.set_defaults(run=run, commands=subparsers)


def run(args: argparse.Namespace) -> int:
    """Print the script and return the exit code."""
    script = bash(args.commands)
    print(_ZSH + script.split("\n", 1)[1] if args.shell == "zsh" else script, end="")
    return 0


def bash(commands: Any) -> str:
    """Return the script for what argparse knows of the commands, so that no option can be forgotten here."""
    options, values, runs = ['            "") options="--help --version" ;;'], {}, []
    words = [f'        "") COMPREPLY=($(compgen -W "{" ".join(commands.choices)}" -- "$word")) ;;']
    for name, each in (pair for word, parser in commands.choices.items() for pair in _walk(word, parser)):
        flags = [flag for action in each._actions for flag in action.option_strings if flag.startswith("--")]
        options.append(f'            "{name}") options="{" ".join(flags)}" ;;')
        for action in each._actions:
            if isinstance(action, argparse._SubParsersAction):
                words.append(f'        "{name}") COMPREPLY=($(compgen -W "{" ".join(action.choices)}" -- "$word")) ;;')
            elif action.option_strings and action.choices:
                values[action.option_strings[0]] = " ".join(map(str, action.choices))
            elif action.choices:
                choices = " ".join(map(str, action.choices))
                words.append(f'        "{name}") COMPREPLY=($(compgen -W "{choices}" -- "$word")) ;;')
            if action.dest in ("run_name", "run_names"):
                runs.append(f'"{name}"')
            if action.dest == "network":
                words.append(f'        "{name}") COMPREPLY=($(compgen -W "cnn mlp" -- "$word")) ;;')
    shown = [
        f'        {flag}) COMPREPLY=($(compgen -W "{choices}" -- "$word")); return ;;'
        for flag, choices in values.items()
    ]
    parts = {"OPTIONS": options, "WORDS": words, "VALUES": shown}
    script = _BASH.replace("@RUNS@", "|".join(runs))
    for part, lines in parts.items():
        script = script.replace(f"@{part}@", "\n".join(lines))
    return script


def _walk(name: str, parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    found = [(name, parser)]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, each in action.choices.items():
                found += _walk(f"{name} {word}".strip(), each)
    return found
