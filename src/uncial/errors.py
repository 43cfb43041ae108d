"""The errors that end in one sentence for the user instead of a traceback."""


class UserError(Exception):
    """What a user can put right: names the file, line id or config key, the reason and the remedy."""


class LineError(Exception):
    """One line (or page) that cannot be used; it is skipped, counted and listed in `skipped.csv`."""


class Ended(BaseException):
    """Takes a user's mistake out of Hydra, which would print its own line about an `Exception` first, or swallow it."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(cause)
        self.cause = cause


class FindingsError(Exception):
    """The task ran to its end and found something that the user asked to be told by the exit code 2."""


class PrunedError(Exception):
    """A training that was ended early, with all its files, because other trials of a search do better."""
