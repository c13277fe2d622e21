"""A module with one place of its source changed."""

import importlib.util
import pathlib


def source_of(module):
    """Give the file that *module* was written in, also where it runs as machine code."""
    return pathlib.Path(module.__file__).with_name(f"{module.__name__.rpartition('.')[2]}.py")


def mutated(module, old="", new=""):
    """Give *module* made anew, with *new* where its text has *old*, once."""
    source = source_of(module)
    text = source.read_text()
    found = text.count(old)
    assert not old or found == 1, f"{old!r} is {found} times in {module.__name__}"
    spec = importlib.util.spec_from_file_location(f"{module.__name__}_mutated", source)
    made = importlib.util.module_from_spec(spec)
    exec(compile(text.replace(old, new) if old else text, source, "exec"), vars(made))
    return made
