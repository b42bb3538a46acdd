"""``plant-aggregate completion``: the script with which a shell completes command lines, and what it asks for."""

import os
import re
from collections.abc import Mapping

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

from plant_aggregate.errors import ParameterError

from . import console
from .command import Choice, Command
from .main import COMPLETION
from .options import debug_option, quiet_option

BASH = r"""
%(complete_func)s() {
    local IFS=$'\n' word=${COMP_WORDS[COMP_CWORD]} line suffix file
    [[ $word == = ]] && word=
    COMPREPLY=()
    while read -r line; do
        case ${line%%%%,*} in
            files | folders)
                compopt -o filenames 2>/dev/null
                while read -r file; do COMPREPLY+=("$file"); done < <(compgen -d -- "$word")
                [[ ${line%%%%,*} == folders ]] && continue
                for suffix in $(tr ' ' '\n' <<< "${line#*,}"); do
                    while read -r file; do
                        [[ -d $file ]] || COMPREPLY+=("$file")
                    done < <(compgen -f -X "!*$suffix" -- "$word")
                done
                ;;
            part)
                compopt -o nospace 2>/dev/null
                COMPREPLY+=("${line#*,}")
                ;;
            *) COMPREPLY+=("${line#*,}") ;;
        esac
    done < <(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete \
        "${1/#\~\//$HOME/}" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

ZSH = r"""#compdef %(prog_name)s
%(complete_func)s() {
    local -a lines plain part described
    local kind value help
    lines=("${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) %(complete_var)s=zsh_complete \
        ${~words[1]} 2>/dev/null)}")
    [[ ${words[CURRENT]} == --*=* ]] && compset -P 1 '*='
    for kind value help in ${lines}; do
        case $kind in
            folders) _files -/ ;;
            files) if [[ $value == _ ]]; then _files; else _files -g "*(${value// /|})(-.)"; fi ;;
            part) part+=("$value") ;;
            *) if [[ $help == _ ]]; then plain+=("$value"); else described+=("${value//:/\\:}:$help"); fi ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described -U
    (( $#plain )) && compadd -V unsorted -a plain
    (( $#part )) && compadd -V unsorted -S '' -a part
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

FISH = r"""
function %(complete_func)s
    for line in (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp | string collect) \
            COMP_CWORD=(commandline -t | string collect) %(prog_name)s 2>/dev/null)
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case folders
                __fish_complete_directories (commandline -ct)
            case files
                if test "$parts[2]" = ""
                    __fish_complete_path (commandline -ct)
                else
                    set -l suffixes (string split " " -- $parts[2] | string escape --style=regex | string join "|")
                    __fish_complete_path (commandline -ct) | string match -r ".*(?:/|$suffixes)(?:\t.*)?\$"
                end
            case "*"
                echo $parts[2]
        end
    end
end
complete --no-files --keep-order --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class Bash(BashComplete):
    """Completion in bash 4.4 or later, which splits words at ``=``."""

    source_template = BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one to complete, and that one."""
        words = split_arg_string(os.environ["COMP_WORDS"])
        place = int(os.environ["COMP_CWORD"])
        words = words[: place + 1] if len(words) > place else [*words, ""]
        whole = words[:1]
        for word in words[1:]:
            if word == "=" or whole[-1].endswith("="):
                whole[-1] += word
            else:
                whole.append(word)
        return whole[1:-1], whole[-1]

    def format_completion(self, item: CompletionItem) -> str:
        """A kind and a value."""
        return f"{item.type},{item.value}"


class Zsh(ZshComplete):
    """Completion in zsh."""

    source_template = ZSH

    def format_completion(self, item: CompletionItem) -> str:
        """A kind, a value and a remark, a line each, none of them empty."""
        return f"{item.type}\n{item.value or '_'}\n{_short(item.help) or '_'}"


class Fish(FishComplete):
    """Completion in fish."""

    source_template = FISH

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """The completions; of the value in ``--option=value`` with the option, as fish replaces the whole word."""
        found = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if equals and option.startswith("--"):
            for item in found:
                item.value = f"{option}={item.value}"
        return [item for item in found if not equals or item.type not in ("files", "folders")]

    def format_completion(self, item: CompletionItem) -> str:
        """A kind, a value and perhaps a remark."""
        return f"{item.type},{item.value}\t{_short(item.help)}".rstrip("\t")


SHELLS: Mapping[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def complete(instruction: str) -> int:
    """Print what may complete the command line that a shell's function hands over; the exit code.

    ``instruction``: ``bash_complete`` or the like. Nothing is reported: the person is typing.
    """
    from .group import cli

    shell = SHELLS.get(instruction.partition("_")[0])
    if shell is None:
        return 1
    try:
        found = shell(cli, {}, "plant-aggregate", COMPLETION).complete()
        click.echo(found, nl=bool(found))
    except (Exception, SystemExit):  # of a strategy of another package, say
        return 1
    return 0


def _short(help: str | None) -> str:
    """The first words of a help text."""
    return re.split(r"[:;(\[\n]| {2}", help or "")[0].strip()


@click.command(cls=Command, loads_compiler=False)
@click.argument("shell", type=Choice(list(SHELLS)), required=False, metavar="[bash|zsh|fish]")
@quiet_option
@debug_option
def completion(shell: str | None) -> None:
    """Print the script with which a shell completes commands, options, files, runs and strategies.

    The default is the shell of the variable SHELL. In bash, add this line to ~/.bashrc; in zsh, to ~/.zshrc after
    compinit, with zsh in the place of bash:

        eval "$(plant-aggregate completion bash)"

    In fish, write the script into this file:

        ~/.config/fish/completions/plant-aggregate.fish
    """
    chosen = shell or os.path.basename(os.environ.get("SHELL", ""))
    if chosen not in SHELLS:
        raise ParameterError(
            f"there is no completion for {chosen or 'an unknown shell'}", remedy="name bash, zsh or fish"
        )
    from .group import cli

    console.result(SHELLS[chosen](cli, {}, "plant-aggregate", COMPLETION).source().strip())
