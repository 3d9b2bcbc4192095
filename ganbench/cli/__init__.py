"""Words to calls: one file per verb. Nothing heavy is imported until a verb runs, so that `--help` is quick."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from ganbench import __version__
from ganbench.cli.bench import bench
from ganbench.cli.check import check
from ganbench.cli.compare import compare
from ganbench.cli.doctor import doctor
from ganbench.cli.evaluate import evaluate
from ganbench.cli.info import info
from ganbench.cli.leaderboard import leaderboard
from ganbench.cli.list import list_plugins
from ganbench.cli.new import new
from ganbench.cli.plugins import plugins
from ganbench.cli.publish import publish
from ganbench.cli.reproduce import reproduce
from ganbench.cli.run import run
from ganbench.cli.terminal import forget_odd_sizes
from ganbench.cli.tune import tune
from ganbench.cli.verify import verify
from ganbench.errors import UsageError, one_line

app = typer.Typer(
    name="ganbench",
    help="Benchmark GANs: one file in, one reproducible leaderboard row out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run)
app.command("tune")(tune)
app.command("leaderboard")(leaderboard)
app.command("compare")(compare)
app.command("publish")(publish)
app.command("evaluate")(evaluate)
app.command("verify")(verify)
app.command("reproduce")(reproduce)
app.command("list")(list_plugins)
app.command("info")(info)
app.command("check")(check)
app.command("bench")(bench)
app.command("new")(new)
app.command("plugins")(plugins)
app.command("doctor")(doctor)

_Misuse: type[Exception] = typer.BadParameter.__bases__[0]
"""What typer raises for words that it does not understand."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ganbench {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Benchmark GANs: one file in, one reproducible leaderboard row out."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The program. A user's mistake is one line and exit code 2."""
    forget_odd_sizes()
    try:
        code = typer.main.get_command(app)(args=arguments, prog_name="ganbench", standalone_mode=False)
    except UsageError as error:
        code = _refuse(str(error))
    except _Misuse as error:
        if type(error).__name__.startswith("NoArgs"):  # no word at all: the help, which the error carries
            typer.echo(getattr(error, "message", ""), err=True)
            code = 2
        else:
            code = _refuse(_message(error))
    except OSError as error:  # a name that no file can have, a folder that is closed to us, a disk without room
        code = _refuse(": ".join(str(said) for said in (error.filename, error.strerror or error) if said))
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    sys.exit(code if isinstance(code, int) else 0)


def _message(error: Exception) -> str:
    """What typer says, without the words of the library that it checks types with."""
    said = error.format_message() if hasattr(error, "format_message") else str(error)
    return said.replace("Value error, ", "").removesuffix(".")


def _refuse(reason: str) -> int:
    with contextlib.suppress(OSError):  # where nothing can be told, the exit code still does
        typer.echo(f"ganbench: {one_line(reason)}", err=True)
    return 2
