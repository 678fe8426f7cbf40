"""The Go co-processes: paths and values go in; objects and verdicts come out.

Imports core and runtime.
"""
