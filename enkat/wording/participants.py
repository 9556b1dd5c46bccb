"""The words that participants meet, in every language on offer."""

from enkat.model.message import Purpose
from enkat.model.survey import Role


def N_(message: str) -> str:  # noqa: N802 - the name by which Babel finds messages that are translated later
    """Marks a message for extraction."""
    return message


ROLES = {
    Role.FAMILY: N_("Familj"),
    Role.KIN: N_("Anhöriga och vänner"),
    Role.CHILD: N_("Barn"),
    Role.PROFESSIONAL: N_("Professionella"),
}

#: The sentence for each reason of a Refused.
REFUSALS = {
    "empty": N_("Svara på minst en fråga."),
    "submission": N_("Sidan var inte hel. Dina svar är kvar: skicka en gång till."),
}

#: Headline and sentence of a fault, by its status.
FAULTS = {
    400: (N_("Det där gick inte att läsa"), N_("Gå tillbaka, ladda om sidan och försök igen.")),
    405: (N_("Så går det inte att göra"), N_("Gå tillbaka, ladda om sidan och försök igen.")),
    413: (N_("Det var för mycket"), N_("Texten är för lång för att skickas. Korta den och försök igen.")),
    500: (N_("Något gick fel"), N_("Felet är noterat. Vänta en stund och försök igen.")),
    503: (N_("Vänta en liten stund"), N_("Det går inte att läsa eller spara just nu. Försök snart igen.")),
}

#: An SMS says nothing of a case, a child or social services, and is one part: with a link of 42 characters there is
#: room for 118 more in Latin letters without unusual accents, for 28 in others.
SMS = {
    Purpose.LINK: N_("Hej! Här är länken till frågorna som du har hört om. Det är frivilligt att svara: %(link)s"),
    Purpose.REMINDER: N_("Hej! Du kan fortfarande svara på frågorna, om du vill: %(link)s"),
}

#: An e-mail, as neutral: its subject, what stands before its link, and what stands after.
MAIL_SUBJECT = N_("Några frågor till dig")
MAIL_BEFORE = {
    Purpose.LINK: (N_("Hej!"), N_("Här är länken till frågorna som du har hört om:")),
    Purpose.REMINDER: (N_("Hej!"), N_("Du kan fortfarande svara. Här är länken till frågorna:")),
}
MAIL_AFTER = (
    N_("Det är frivilligt att svara. Det tar två minuter."),
    N_("Länken är öppen till %(day)s."),
    N_("Svara inte på det här mejlet. Har du fått det av misstag? Ta bort det."),
)
