"""Options: what a declaration says for a plug-in, over what the site set."""

from collections.abc import Mapping
from typing import Generic, TypeVar

from pydantic import ValidationError

from app.core.configfile import Section, type_error_texts
from app.core.errors import OutgoingFailed

Kind = TypeVar("Kind", bound=Section)


class Options(Generic[Kind]):
    """Reads the options of one plug-in."""

    def __init__(self, kind: type[Kind], base: Kind | None = None) -> None:
        """Take what there is to say, and what holds when it is not said."""
        self._kind = kind
        self._base = (
            {} if base is None else base.model_dump(exclude_unset=True)
        )

    def read(self, given: Mapping[str, object]) -> Kind:
        """Return the options.

        Raises:
            OutgoingFailed: they are wrong, so nothing can be asked.
        """
        wrong = self.complain(given)
        if wrong:
            raise OutgoingFailed("; ".join(wrong))
        return self._kind.model_validate({**self._base, **given})

    def complain(self, given: Mapping[str, object]) -> list[str]:
        """Return what is wrong with what a declaration says."""
        try:
            self._kind.model_validate({**self._base, **given})
        except ValidationError as error:
            return [
                f"option {'.'.join(map(str, one['loc']))!r} "
                + type_error_texts.get(one["type"], one["msg"])
                for one in error.errors(include_input=False)
            ]
        return []
