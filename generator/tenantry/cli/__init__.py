"""Arguments come in; an exit code comes out.

Imports commands and report.
"""
