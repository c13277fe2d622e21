"""``python -m carboy`` does what ``carboy`` does."""

from carboy.cli import main

main(prog_name="carboy")
