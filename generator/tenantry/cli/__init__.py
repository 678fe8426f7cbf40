"""The command line: it parses, one function works, an exit code comes back."""
