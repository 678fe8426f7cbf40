"""The input kinds as frozen dataclasses. Raw dictionaries end at `convert.build`."""
