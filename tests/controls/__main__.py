"""`make mutants`: the table of killed and surviving mutants."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import track
from rich.table import Table

from controls.laboratory import attempt
from controls.table import MUTANTS
from tenantry.core.controls import CONTROLS_BY_ID


def main() -> int:
    chosen = [m for m in MUTANTS if not sys.argv[1:] or m.control in sys.argv[1:]]
    outcomes = [attempt(mutant) for mutant in track(chosen, "trying mutants", console=Console(stderr=True))]
    table = Table("control", "mutants", "killed", "rule")
    for control in dict.fromkeys(m.control for m in chosen):
        own = [o for o in outcomes if o.mutant.control == control]
        table.add_row(control, str(len(own)), str(sum(not o.wrong() for o in own)), CONTROLS_BY_ID[control].rule)
    console = Console(width=130)
    console.print(table)
    surviving = [o for o in outcomes if o.wrong()]
    for outcome in surviving:
        console.print(f"[bold]{outcome.mutant}[/bold]", markup=True)
        for line in outcome.wrong()[:6]:
            console.print(f"    {line}", markup=False)
    console.print(
        f"{len(outcomes)} mutants of {len(CONTROLS_BY_ID)} controls, {len(surviving)} not killed as they should be"
    )
    return 1 if surviving else 0


if __name__ == "__main__":
    sys.exit(main())
