"""Persons, their households, who may see them and why. Each model says its class of data."""

from parvis.cases.models.access import (
    Access,
    BreakGlass,
    Denial,
    NamedAccess,
    PersonKey,
    SearchToken,
)
from parvis.cases.models.people import Household, HouseholdMember, Person, PersonName
from parvis.cases.models.profile import (
    Address,
    Attachment,
    Background,
    ContactPoint,
    Finding,
    ImmigrationStatus,
    Note,
    PaperSeen,
    SpokenLanguage,
)
from parvis.cases.models.rights import (
    DataRequest,
    Disclosure,
    DisclosureApproval,
    Erasure,
    ExportLink,
    IdentityCheck,
    Incident,
    IncidentPerson,
    Rectification,
)
from parvis.cases.models.sharing import Agreement, Consent, ConsentRecipient, Withdrawal

__all__ = [
    "Access",
    "Address",
    "Agreement",
    "Attachment",
    "Background",
    "BreakGlass",
    "Consent",
    "ConsentRecipient",
    "ContactPoint",
    "DataRequest",
    "Denial",
    "Disclosure",
    "DisclosureApproval",
    "Erasure",
    "ExportLink",
    "Finding",
    "Household",
    "HouseholdMember",
    "IdentityCheck",
    "ImmigrationStatus",
    "Incident",
    "IncidentPerson",
    "NamedAccess",
    "Note",
    "PaperSeen",
    "Person",
    "PersonKey",
    "PersonName",
    "Rectification",
    "SearchToken",
    "SpokenLanguage",
    "Withdrawal",
]
