"""Instances -> files of base/ and overlays/, in memory."""
