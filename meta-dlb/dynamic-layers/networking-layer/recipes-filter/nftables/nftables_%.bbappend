# One command that reads one file at the start: neither a shell of its own nor Python.
PACKAGECONFIG:dlb-os = "mini-gmp"
