"""The example fleet on the real things: `make acceptance`, or `make acceptance PART=redis`. How it works: README.md."""
