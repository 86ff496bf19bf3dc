"""Run ``python -m simulator``."""

from simulator.commands import cli

if __name__ == "__main__":
    cli(prog_name="python -m simulator")
