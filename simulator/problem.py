"""What the simulator will not do: said with the field and the remedy."""


class Refused(Exception):
    """Something that is not done; nothing was changed.

    Attributes:
        status: the HTTP status that fits.
        title: what kind of no this is, in a few words.
        detail: what is wrong.
        field: the setting, or the part of an order, that is meant.
        remedy: what to do instead.
    """

    status = 422
    title = "This cannot be done"

    def __init__(
        self, detail: str, *, field: str = "", remedy: str = ""
    ) -> None:
        """Take what is wrong, where, and what to do."""
        self.detail = detail
        self.field = field
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        """Return all of it as one line for a person."""
        where = f"{self.field}: " if self.field else ""
        return f"{where}{self.detail}. {self.remedy}".strip()

    def as_json(self) -> dict[str, str]:
        """Return it as the body of a problem answer."""
        return {
            "title": self.title,
            "detail": self.detail,
            "field": self.field,
            "remedy": self.remedy,
        }


class Forbidden(Refused):
    """The settings do not allow it."""

    status = 403
    title = "The settings do not allow it"


class Unknown(Refused):
    """There is no such thing."""

    status = 404
    title = "There is no such thing"


class Conflict(Refused):
    """Something else is in the way, and can be ended."""

    status = 409
    title = "Something else is in the way"


class Away(Refused):
    """Whoever is asked does not answer."""

    status = 503
    title = "Nobody answers"


class Unable(Refused):
    """This machine, or this user, cannot do it."""

    status = 503
    title = "This machine cannot do it now"
