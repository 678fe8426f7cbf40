"""Objects go in, findings of schemas, operators' rules and references come out; nothing is known of how they were made.

Imports core, runtime and engine.
"""
