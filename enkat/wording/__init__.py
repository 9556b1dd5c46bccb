"""The interface's words for the domain's: roles, kinds, sources, refusals. Swedish is the source language. What
participants meet too stands in `participants`, and is translated into more languages."""

from enkat.model.meeting import Channel, Kind, Source
from enkat.model.message import MessageState, Reason
from enkat.model.staff import StaffRole
from enkat.model.survey import Index, Role
from enkat.wording import participants
from enkat.wording.participants import N_, ROLES

__all__ = ["N_", "ROLES"]

#: Short enough for four of them beside each other on a phone.
SHORT_ROLES = {
    Role.FAMILY: N_("Familj"),
    Role.KIN: N_("Anhöriga"),
    Role.CHILD: N_("Barn"),
    Role.PROFESSIONAL: N_("Proffs"),
}

#: What else groups and languages are called in lists, in small letters.
OTHER_GROUP_NAMES = {
    Role.FAMILY: ("familjen", "förälder", "föräldrar"),
    Role.KIN: ("anhörig", "vän", "vänner", "släkt", "nätverk"),
    Role.CHILD: ("barnet",),
    Role.PROFESSIONAL: ("professionell", "personal"),
}
OTHER_LANGUAGE_NAMES = {
    "fa": ("dari", "farsi", "persiska", "persian"),
    "ckb": ("kurdiska", "sorani", "kurdish"),
    "ti": ("tigrinya", "tigrinska"),
    "so": ("somali",),
}

KINDS = {
    Kind.NETWORK_MEETING: N_("Nätverksmöte"),
    Kind.PRE_MEETING: N_("Förmöte"),
    Kind.FOLLOW_UP: N_("Uppföljningsmöte"),
    Kind.SIP: N_("SIP"),
    Kind.FAMILY_GROUP_CONFERENCE: N_("Familjerådslag"),
    Kind.SMALL_NETWORK: N_("Litet nätverk"),
    Kind.OTHER: N_("Annat"),
}

SOURCES = {
    Source.SCHOOL: N_("Skola"),
    Source.INQUIRY: N_("Utredning"),
    Source.HEALTH: N_("Vård"),
    Source.SELF: N_("Familjen själv"),
    Source.OTHER: N_("Annan"),
}

STAFF_ROLES = {
    StaffRole.COORDINATOR: N_("Samordnare"),
    StaffRole.EVALUATOR: N_("Utvärderare"),
    StaffRole.ADMINISTRATOR: N_("Administratör"),
}

INDICES = {
    Index.PARTICIPATION: N_("Delaktighet"),
    Index.USEFULNESS: N_("Nytta"),
}

#: Whose answers something is about, as a sentence begins.
WHOSE = {
    Role.FAMILY: N_("Familjens svar"),
    None: N_("Alla vuxnas svar tillsammans"),
}

#: What the questionnaires are called: in a choice where a role has several, and where one is spoken of.
QUESTIONNAIRES = {
    "adult": N_("Familj, anhöriga och vänner"),
    "professional": N_("Professionella"),
    "child": N_("Barn, fem ansikten"),
    "child_small": N_("Små barn, tre ansikten"),
}

#: The sentence for each reason of a Refused.
REFUSALS = participants.REFUSALS | {
    "reference": N_("Skriv en beteckning med 1–40 bokstäver och siffror, till exempel M-114."),
    "identity_number": N_(
        "Det ser ut som ett personnummer. Hitta på en beteckning i stället, till exempel M-114. "
        "Den som ser beteckningen ska inte kunna förstå vilken familj det gäller."
    ),
    "name_like": N_(
        "Det ser ut som ett namn. Hitta på en beteckning i stället, till exempel M-114. "
        "Den som ser beteckningen ska inte kunna förstå vilken familj det gäller."
    ),
    "other_source": N_("Uppdraget finns redan, med en annan källa. Lämna källan tom eller välj en annan beteckning."),
    "other_protection": N_("Uppdraget finns redan, utan skyddsbehov. Välj en annan beteckning."),
    "no_source": N_("Uppdraget är nytt. Välj varifrån det kommer."),
    "places": N_("Högst 50 personer i varje grupp."),
    "nobody": N_("Bjud in minst en person."),
    "held": N_("Datumet ligger mer än ett år bort."),
    "closes_past": N_("Sista dagen har redan varit."),
    "closes_before": N_("Sista dagen är före mötet."),
    "closes_late": N_("Enkäten kan vara öppen i högst tre månader."),
    "questionnaire": N_("Det formuläret passar inte den gruppen."),
    "held_by_links": N_("Så många har redan egna länkar. Återkalla en länk först."),
    "counted": N_("Mötet är räknat. Inga länkar leder dit längre."),
    "room_link": N_("Rummets länk kan bytas ut men inte återkallas."),
    "text_empty": N_("Det finns ingenting kvar av texten. Håll inne den i stället."),
    "text_long": N_("Texten är för lång."),
    "text_changed": N_("Någon annan har ändrat texten under tiden. Läs den igen."),
    "child_words": N_(
        "Ett barns text visas aldrig med barnets egna ord. Skriv med dina egna vad barnet ville ha sagt."
    ),
    "protected_contact": N_("Uppdraget har skyddsbehov. Adresser och telefonnummer sparas aldrig där."),
    "room_contact": N_("Rummets länk är allas. En adress hör till en egen länk."),
    "contact_phone": N_("Skriv ett telefonnummer, till exempel 070-123 45 67 eller +46701234567."),
    "contact_landline": N_("Det är inget mobilnummer, så dit kan inget SMS skickas."),
    "no_contact": N_("Länken har inget nummer eller någon adress än."),
    "no_service": N_("Det går inte att skicka så härifrån. Använd din egen telefon, eller fråga din administratör."),
    "closed": N_("Det går inte att svara längre, så ingen länk skickas."),
    "list_empty": N_("Skriv minst ett nummer eller en adress."),
    "list_long": N_("Listan är för lång. Högst 200 rader åt gången."),
    "list_column": N_("Efter numret eller adressen kan bara grupp och språk stå, med de namn som valen nedan har."),
    "list_name": N_("Skriv bara numret eller adressen, utan namn."),
    "list_two": N_("Två adresser på samma rad. Skriv dem på var sin rad."),
    "list_no_text": N_("Filen är ingen textfil. Spara den som CSV och välj den igen."),
    "list_twice": N_(
        "Står redan på en tidigare rad. Delar två personer telefon? Gör en egen länk till den andra på sidan med "
        "länkar."
    ),
    "list_known": N_(
        "Har redan fått en länk till det här mötet. Delar två personer telefon? Gör en egen länk till den andra på "
        "sidan med länkar."
    ),
    "contact_email": N_("Skriv en e-postadress, till exempel kim@example.se."),
    "unit_name": N_(
        "Skriv ett namn som börjar med en bokstav eller siffra, högst 80 tecken: bokstäver, siffror, mellanslag "
        "och . , : / & ( ) -"
    ),
    "unit_plus": N_("Skriv enhetens namn utan plustecken. Plus står mellan enheter som visas tillsammans."),
    "unit_known": N_("Det finns redan en enhet med det namnet."),
    "address": N_("Skriv en e-postadress, till exempel kim@example.se."),
    "address_known": N_("Adressen finns redan."),
    "name": N_("Namnet ska ha 1–80 tecken."),
    "roles": N_("Välj minst en roll."),
    "old_password": N_("Det gamla lösenordet stämmer inte."),
    "short_password": N_("Lösenordet ska ha minst 12 tecken."),
    "long_password": N_("Lösenordet får ha högst 200 tecken."),
}

#: What has become of a link that was sent. Whether it was delivered is not told, only that it was not.
MESSAGE_STATES = {
    MessageState.WAITING: N_("Väntar på att skickas"),
    MessageState.SENDING: N_("Väntar på att skickas"),
    MessageState.SENT: N_("Skickat"),
    MessageState.DELIVERED: N_("Skickat"),
    MessageState.FAILED: N_("Gick inte att skicka"),
    MessageState.EXPIRED: N_("Hann inte skickas"),
}

#: Why a link did not arrive, and what to do.
MENDS = {
    Reason.ADDRESS: N_("Numret eller adressen finns inte. Skriv rätt och skicka igen."),
    Reason.REFUSED: N_("Tjänsten som skickar tog inte emot meddelandet. Ge koden på ett annat sätt."),
    Reason.UNDELIVERED: N_("Det kom inte fram. Kontrollera numret, eller ge koden på ett annat sätt."),
    Reason.UNSURE: N_("Ingen vet om det kom fram. Fråga, eller skicka igen."),
}

#: What is wrong with a service that sends, for the administrator.
SERVICE_FAULTS = {
    Reason.UNREACHABLE: N_("Tjänsten svarar inte."),
    Reason.CREDENTIALS: N_("Tjänsten godtar inte användarnamnet eller lösenordet. Rätta inställningen."),
    Reason.CREDIT: N_("Kontot hos tjänsten är tomt eller spärrat. Fyll på det hos leverantören."),
    Reason.SENDER: N_("Tjänsten godtar inte avsändaren. Rätta inställningen, eller registrera avsändaren."),
    Reason.BUSY: N_("Tjänsten tar inte emot just nu."),
    Reason.UNSURE: N_("Tjänsten tar emot meddelanden men svarar inte."),
}

CHANNELS = {
    Channel.SMS: N_("SMS"),
    Channel.EMAIL: N_("E-post"),
}

#: The same for the staff pages' faults.
FAULTS = participants.FAULTS | {
    403: (N_("Här har du inte behörighet"), N_("Fråga din administratör om du behöver komma åt sidan.")),
    404: (N_("Sidan finns inte"), N_("Kanske är adressen felskriven.")),
}
