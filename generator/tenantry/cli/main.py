"""Entry point: commands by name, and how failures are reported."""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import io
import os
import sys
from typing import NoReturn

import click

from tenantry import __version__
from tenantry.cli.options import Options, common
from tenantry.core.findings import FindingsError, MachineError, Result, TenantryError
from tenantry.report.plain import lines, one_line

COMMANDS = {
    "init": "Create an empty fleet in a folder.",
    "new": "Write a new tenant, cell, cluster, release, channel or exception.",
    "get": "Show fields of an input file and where they stand.",
    "set": "Change a value of an input file, and nothing else in it.",
    "fmt": "Bring input files into canonical form.",
    "schema": "Print the JSON Schema of an input kind.",
    "render": "Generate base/, overlays/ and rendered/ from the inputs.",
    "check": "Check that inputs are valid and generated trees are up to date.",
    "verify": "Check plain manifests as clusters and operators would.",
    "promote": "Write the next step of a release through a channel.",
    "rollback": "Take back a rollout, as far as no database was migrated.",
    "move": "Move a tenant to another cell, tier or cluster, step by step.",
    "restore": "Restore a PostgreSQL server to a moment, step by step.",
    "failover": "Let a tenant serve at its DR site, or at home again, step by step.",
    "migrate": "Plan how customers of other systems come in.",
    "suspend": "Stop a tenant's Pods and close its hosts.",
    "resume": "Bring a suspended or offboarding tenant back into service.",
    "offboard": "Begin to remove a tenant; its data is kept until an approved day.",
    "erase": "Say what erases a leaving tenant's data, record it, and certify it.",
    "rename": "Change the name under which a tenant is shown.",
    "plan": "Show what a change of the inputs means: for whom, at what risk and cost.",
    "diff": "Show what changes in rendered objects since a commit.",
    "merge-driver": "Merge a file of a fleet for git, or install that.",
    "publish": "Render, check, and commit the trees with their inputs.",
    "resolve": "Resolve what a merge left in generated trees.",
    "simulate": "Say who is hit when a region, a zone or a node is lost.",
    "calendar": "List what is out of support when, and who is hit.",
    "runbook": "Say what to do about an incident of a tenant.",
    "explain": "Show where a tenant's values come from, or what a code means.",
    "secrets": "List what the secret store must hold, and what is missing.",
    "doctor": "Check that this machine has what tenantry needs.",
}
"""Command -> its one-line help; each has a module of that name, imported only when needed."""


class _Commands(click.Group):
    """Imports a command's module when it is called, which keeps start-up fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"tenantry.cli.{cmd_name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else f"Commands: {', '.join(COMMANDS)}."
            raise click.UsageError(f"No such command '{args[0]}'. {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tenantry")
@common
def cli(_options: Options) -> None:
    """Generate manifests for tenant-isolated Odoo from one file per tenant.

    Typical use:

    \b
      tenantry new tenant contoso --tier shared
      $EDITOR tenants/contoso.yaml
      tenantry render
      tenantry check && git diff --stat

    Exit codes: 0 success, 1 findings, 2 usage error, 3 internal error, 4 an external tool is missing or broken, or the
    machine refuses (space, permissions, limits), 130 interrupted. Shell completion: eval "$(_TENANTRY_COMPLETE=bash_source tenantry)" (or zsh_source, fish_source).
    """


def main() -> NoReturn:
    """Run the command line and exit."""
    options = Options()
    # A pair of clusters is a million objects, which are freed without the collector once it is proved. Looking through
    # them for cycles while they are there costs a fifteenth of the time and finds nothing.
    gc.set_threshold(1_000_000, 50, 50)
    try:
        code = _run(options)
    except SystemExit as error:
        code = int(error.code or 0)
    except click.ClickException as error:
        _show(error)
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("tenantry: interrupted", err=True)
        code = 130
    except TenantryError as error:
        hint = "".join(f"\n  {one_line(line)}" for line in error.hint.splitlines())
        click.echo(f"{one_line(f'tenantry: {error.message}')}{hint}", err=True)
        code = error.exit_code
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - the reader went away
        code = 0
    except Exception as error:  # the user gets one line, whatever it is
        refusal = machine_refusal(error)
        if refusal:
            click.echo(one_line(f"tenantry: {refusal}"), err=True)
        code = MachineError.exit_code if refusal else _bug()
    sys.exit(code)


def _run(options: Options) -> int:
    try:
        cli.main(standalone_mode=False, obj=options, prog_name="tenantry")
    except FindingsError as error:
        return _report(options, Result("findings", error.findings))
    return 0


_REFUSALS = frozenset({
    errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EFBIG, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO,
    errno.EACCES, errno.EPERM,
})  # fmt: skip
"""Errors caused by the machine, its limits or its permissions, wherever they are raised."""


def machine_refusal(error: BaseException | None) -> str:
    """What the machine refuses; empty if the error has another cause."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, MemoryError):
            return "not enough memory (check 'ulimit -a')"
        if isinstance(error, OSError) and error.errno in _REFUSALS:
            return f"{error.strerror}{f': {error.filename}' if error.filename else ''} (check permissions, disk space and 'ulimit -a')"
        if isinstance(error, (RuntimeError, ImportError)) and any(words in str(error) for words in _NO_MEMORY):
            return "not enough memory, or too many processes (check 'ulimit -a')"
        error, seen = error.__cause__, seen + 1
    return ""


_NO_MEMORY = ("can't start new thread", "cannot allocate memory", "Cannot allocate memory", "failed to map segment")


def _report(options: Options, result: Result) -> int:
    options.report_findings(result)
    return 1


def _show(error: click.ClickException) -> None:
    """As click does, but quoted arguments are kept to one line and can't affect the terminal."""
    text, message = io.StringIO(), error.format_message()
    error.show(text)
    is_help = isinstance(error, click.exceptions.NoArgsIsHelpError)
    shown = text.getvalue() if is_help else text.getvalue().replace(message, one_line(message))
    click.echo(lines(shown), nl=False, err=True)


def _bug() -> int:
    """Save a report for debugging, and print its path."""
    from tenantry.cli import bug

    error = sys.exc_info()[1]
    assert error is not None
    where = "please report it with the command and its input (no report could be written)"
    with contextlib.suppress(OSError):
        where = one_line(f"please report it and attach {bug.write(error, sys.argv)}")
    click.echo(f"tenantry: internal error ({type(error).__name__}); {where}", err=True)
    return 3
