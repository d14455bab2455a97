"""What a person's file is made of, by class of data: what consent names, policies test and the data map prints."""

from enum import IntFlag


class DataClass(IntFlag):
    """Classes of personal data. A set of them is an integer, in consents and in the access projection."""

    IDENTITY = 1  # names, languages, year of birth, gender
    HOUSEHOLD = 2  # who lives with whom, and how they are related
    CONTACT = 4  # telephone, e-mail, address that is not hidden
    BACKGROUND = 8  # schooling, work, diplomas
    NEEDS = 16  # strengths and needs
    STATUS = 32  # immigration stream, status, expiry
    HEALTH = 64
    VIOLENCE = 128  # family and violence
    NOTES = 256  # what workers wrote
    DOCUMENTS = 512  # attachments, papers seen
    PLAN = 1024  # the plan and its steps
    HIDDEN_ADDRESS = 2048
    CONFIDENTIAL = 4096  # notes for the lead worker only


def classes(*names: DataClass) -> DataClass:
    total = DataClass(0)
    for name in names:
        total |= name
    return total


EVERYTHING = classes(*DataClass)
#: never leaves by consent: who is in danger from a relative is in danger from the relative's friend at a partner
NEVER_SHARED = DataClass.HIDDEN_ADDRESS | DataClass.CONFIDENTIAL
#: what consent may name
SHAREABLE = EVERYTHING & ~NEVER_SHARED
#: what needs the person's express consent, apart from the rest (Québec: P-39.1 s. 12 and A-2.1 s. 59, "sensitive")
SENSITIVE = DataClass.STATUS | DataClass.HEALTH | DataClass.VIOLENCE | DataClass.DOCUMENTS
#: what every worker of the organization that holds the file sees
OWN = SHAREABLE
#: what the person sees of their own file without asking; notes come with an access request, read by somebody first
SELF = EVERYTHING & ~(DataClass.NOTES | DataClass.CONFIDENTIAL)


def names(value: int) -> list[str]:
    """The ASCII codes of a set, in order: `names(5)` is ["identity", "contact"]."""
    return [member.name.lower() for member in DataClass if member & value and member.name]


def parse(codes: list[str]) -> DataClass:
    """The set named by codes. Raises KeyError for a code that there is not."""
    return classes(*(DataClass[code.upper()] for code in codes))
