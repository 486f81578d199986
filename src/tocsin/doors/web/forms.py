"""What a person typed: read once, kept when something is wrong, taken up again after a sign-in."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest

from tocsin.doors.web.pages import FieldError


@dataclass
class Typed:
    """The fields of one form, and what is wrong with them."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)

    @classmethod
    def posted(cls, request: HttpRequest) -> "Typed":
        """What was just sent."""
        return cls({name: list(values) for name, values in request.POST.lists()})

    @classmethod
    def waiting(cls, request: HttpRequest) -> "Typed":
        """What was sent to this address when the session had ended, once; else an empty form."""
        kept = request.session.get("typed")
        if kept is None or kept["path"] != request.path:
            return cls()
        del request.session["typed"]
        return cls(kept["fields"])

    def get(self, name: str, default: str = "") -> str:
        """The last value of a field, trimmed."""
        values = self.fields.get(name)
        return values[-1].strip() if values else default

    def all(self, name: str) -> Sequence[str]:
        """Every value of a field that may have several."""
        return self.fields.get(name, [])

    def need(
        self, name: str, complaint: str, *, among: Sequence[str] | None = None, longest: int = 4000
    ) -> str:
        """The field's value; notes `complaint` where it is empty or not among the choices."""
        value = self.get(name)
        if not value or (among is not None and value not in among):
            self.note(name, complaint)
        elif len(value) > longest:
            self.note(name, f"Use at most {longest:,} characters")
        return value

    def error(self, name: str) -> str:
        """What is wrong with a field, or nothing."""
        return next((error.text for error in self.errors if error.field == name), "")

    def note(self, name: str, complaint: str) -> None:
        """Something is wrong with this field."""
        self.errors.append(FieldError(name, complaint))

    def refuse(self, complaint: str) -> None:
        """The whole form was refused, for a reason that belongs to no single field."""
        self.errors.append(FieldError("main-content", complaint[:1].upper() + complaint[1:]))
