"""Staff forms. Labels stand in the templates; what is wrong is said in the page's language when it is judged."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    Field,
    FileField,
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields import choices as wtforms_choices
from wtforms.validators import Optional, ValidationError

from enkat.model.errors import Refused
from enkat.model.meeting import MOST_PLACES, Kind, Source
from enkat.model.staff import StaffRole, Unit
from enkat.model.survey import Role
from enkat.web.context import gettext as _
from enkat.wording import KINDS, REFUSALS, SOURCES

#: The field of a staff form at which each refusal is told; the rest is told at the top.
_PLACES = {
    "reference": "reference",
    "identity_number": "reference",
    "name_like": "reference",
    "other_source": "source",
    "no_source": "source",
    "other_protection": "protected",
    "held": "held",
    "closes_past": "closes",
    "closes_before": "closes",
    "closes_late": "closes",
    "unit_name": "name",
    "unit_known": "name",
    "address": "address",
    "address_known": "address",
    "name": "name",
    "roles": "roles",
    "old_password": "old",
    "short_password": "new",
    "text_empty": "wording",
    "text_long": "wording",
    "child_words": "wording",
    "text_changed": "wording",
    "long_password": "new",
    "contact_phone": "address",
    "contact_landline": "address",
    "contact_email": "address",
    "no_service": "address",
    "list_empty": "addresses",
    "list_long": "addresses",
    "list_no_text": "file",
}


#: An option of a select or radio field; types-WTForms is a version behind and does not know it.
Choice = Any


def choice(value: str, label: str | None = None) -> Choice:
    """An option with its label."""
    return wtforms_choices.SelectChoice(value, label)  # type: ignore[attr-defined]


def _required(_form: Any, field: Field) -> None:
    if field.data in (None, "") and not field.errors:
        raise ValidationError(_("Fyll i det här fältet."))


def _offered(_form: Any, field: Field) -> None:
    """WTForms' own check of choices speaks English."""
    chosen = field.data if isinstance(field.data, list) else [field.data]
    values = {option.value for option in field.choices}  # type: ignore[attr-defined]
    if any(one not in values for one in chosen):
        raise ValidationError(_("Välj bland det som finns."))


class StaffForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """What all staff forms share: refusals of the domain become errors of the form."""

    def refuse(self, refusal: Refused) -> None:
        """Tell a refusal at its field, or at the top of the form."""
        field = _PLACES.get(refusal.reason, "")
        message = _(REFUSALS[refusal.reason])
        if field in self._fields:
            self._fields[field].errors = [*self._fields[field].errors, message]
        else:
            self.form_errors.append(message)

    @property
    def is_refused(self) -> bool:
        """True where something is to be mended."""
        return bool(self.errors)


class SignInForm(StaffForm):
    """Address and password."""

    address = StringField()
    password = PasswordField()


class PasswordForm(StaffForm):
    """Another password for oneself."""

    old = PasswordField()
    new = PasswordField()


class PlainForm(StaffForm):
    """A button; all there is to it is that it was pressed on our page."""


class MemberForm(StaffForm):
    """Somebody new who may sign in."""

    address = StringField()
    name = StringField(id="member-name")
    roles = SelectMultipleField(
        choices=[choice(role.value) for role in StaffRole], validate_choice=False, validators=[_offered]
    )
    unit = SelectField(validate_choice=False, validators=[_offered])


class TextForm(StaffForm):
    """The wording in which a text is shown."""

    wording = TextAreaField()
    seen = HiddenField()


class UnitForm(StaffForm):
    """Another unit, under one that there is."""

    name = StringField(id="unit-name")
    under = SelectField(validate_choice=False, validators=[_offered])


def _date(_form: Any, field: Field) -> None:
    if field.raw_data and field.raw_data[0] and field.data is None:
        field.errors = []
        raise ValidationError(_("Skriv ett datum, till exempel 2026-11-20."))


class SendForm(StaffForm):
    """Where one link is to go."""

    address = StringField()
    language = SelectField(validate_choice=False, validators=[_offered])


class ListForm(StaffForm):
    """A list of those who are to get a link: pasted, or from a file; `seen` is what was shown of it before."""

    addresses = TextAreaField()
    file = FileField()
    group = SelectField(validate_choice=False, validators=[_offered])
    language = SelectField(validate_choice=False, validators=[_offered])
    seen = HiddenField()

    def take_file(self) -> None:
        """Put a file's rows below those that were pasted. Spreadsheets write UTF-8, UTF-16 or older letters."""
        content = self.file.data.read() if hasattr(self.file.data, "read") else b""
        encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            text = content.decode("cp1252", "replace")
        if "\0" in text or content.startswith(b"PK"):
            self.refuse(Refused("list_no_text", "the file is no text"))
            return
        pasted = (self.addresses.data or "").rstrip()
        self.addresses.data = "\n".join(part for part in (pasted, text.strip()) if part)


class PlacesField(IntegerField):
    """A stepper: 0 to the most that a role can have."""

    def process_formdata(self, valuelist: list[str]) -> None:
        text = (valuelist[0] if valuelist else "").strip() or "0"
        if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= MOST_PLACES):
            self.data = None
            raise ValueError(_("Högst 50 personer i varje grupp."))
        self.data = int(text)


class PlacesForm(StaffForm):
    """How many of each role."""

    family = PlacesField()
    kin = PlacesField()
    child = PlacesField()
    professional = PlacesField()

    def places(self) -> dict[Role, int]:
        """The numbers by role."""
        return {role: int(self[role.value].data or 0) for role in Role}


class MeetingForm(PlacesForm):
    """A meeting on one page."""

    reference = StringField(validators=[_required])
    unit = SelectField(validate_choice=False, validators=[_offered])
    source = SelectField(default="", validate_choice=False, validators=[_offered])
    protected = BooleanField()
    kind = SelectField(validate_choice=False, validators=[_required, _offered])
    held = DateField(validators=[_date, _required])
    closes = DateField(validators=[_date, Optional()])
    child_form = RadioField(validate_choice=False, validators=[_offered])


def choices(words: type[StrEnum], names: dict[Any, str]) -> list[Choice]:
    """An enum's values with their names in the page's language."""
    return [choice(word.value, _(names[word])) for word in words]


def prepare_meeting_form(form: MeetingForm, units: Sequence[Unit], child_forms: list[Choice], today: date) -> None:
    """Fill in a meeting form's choices, what a page that offers no choice leaves out, and today's date."""
    form.unit.choices = [choice(unit.id, unit.name) for unit in units]
    form.source.choices = [choice("", _("Välj")), *choices(Source, SOURCES)]
    form.kind.choices = choices(Kind, KINDS)
    form.child_form.choices = child_forms
    form.unit.data = form.unit.data or units[0].id
    form.child_form.data = form.child_form.data or child_forms[0].value
    form.held.data = form.held.data or (None if form.is_submitted() else today)
