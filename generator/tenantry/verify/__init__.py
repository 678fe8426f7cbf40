"""Objects go in, findings of schemas, operators' rules and references come out; nothing is known of how they were made.

Imports core, runtime and engine.
"""

from __future__ import annotations

import importlib
import pkgutil

from tenantry.verify import kubernetes, operators

for _package in (kubernetes, operators):
    for _module in pkgutil.iter_modules(_package.__path__, f"{_package.__name__}."):
        importlib.import_module(_module.name)  # registers what it holds
