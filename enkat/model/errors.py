"""What can be refused, in the domain's words. Each message is one sentence for an operator; the web has its
own words for participants and coordinators."""


class EnkatError(Exception):
    """Any refusal of enkat's own."""


class SettingsError(EnkatError):
    """A setting that cannot be used."""


class CatalogueError(EnkatError):
    """A questionnaire or translation that cannot be used; `faults` names each place and its mend."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class StoreError(EnkatError):
    """A database that is not ours, not readable or not of this version."""


class StoreUnavailable(StoreError):
    """A database that cannot be used just now: locked, full or read-only. Nothing was written."""


class KeyFileError(EnkatError):
    """A key file that is missing, unreadable or in the wrong place."""


class NotFound(EnkatError):
    """No such record, or one that the asker must not know of."""


class Refused(EnkatError):
    """A request that the rules refuse; `reason` is the word by which pages choose their sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class NotEmpty(EnkatError):
    """A demonstration asked for where there is data already."""


class UnknownLink(EnkatError):
    """No link with that key."""


class RevokedLink(EnkatError):
    """The link was replaced or taken back."""


class ClosedSurvey(EnkatError):
    """The meeting's survey has closed."""


class PlaceTaken(EnkatError):
    """The link's place is used, or its room has no free place left."""


class UnknownReceipt(EnkatError):
    """No sealed answer with that receipt."""
