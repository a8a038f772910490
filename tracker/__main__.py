"""`python -m tracker` is the command `tracker`: the console script that is installed, so that nothing here knows it."""

from importlib.metadata import entry_points

if __name__ == "__main__":
    (command,) = set(entry_points(group="console_scripts", name="tracker"))
    command.load()()
