"""Words of others at the end of our sentences."""


def as_sentence(text: str) -> str:
    """*text* with one full stop at its end, whether or not whoever wrote it put one there."""
    return f"{text.rstrip().rstrip('.')}."
