"""The proposer: who proposed a decision, as the log and the guard name it."""

# What takes an action back that made it worse.
UNDO = "undo"
# Before the name of a person.
PERSON = "person:"
# Before what code proposes by itself.
CODE = "code:"
BRAIN = "brain:"
# These need no number: people, and code that knows what it does.
SURE = (PERSON, CODE, UNDO)


def proposer_of(brain: str) -> str:
    """Return who proposed a decision, as the log names it."""
    is_named = brain == UNDO or brain.startswith((PERSON, CODE))
    return brain if is_named else f"{BRAIN}{brain}"
