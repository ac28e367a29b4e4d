"""What cannot be read in the text of a condition."""


class MisreadError(Exception):
    """*problem* is what is wrong and how to mend it; `at` is the offset of the character where it shows."""

    def __init__(self, at: int, problem: str) -> None:
        super().__init__(problem)
        self.at = at
        self.problem = problem
