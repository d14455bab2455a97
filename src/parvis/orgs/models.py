"""Organizations, who works for them, and their identifiers."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from parvis.core.access import SHAREABLE
from parvis.kit.models import Personal, Row


class DirectoryRow(Row):
    """A row that an import may have brought: where from, and since when that source no longer lists it.

    `missing_since` marks, it never deletes: a source that drops a row by mistake can bring it back.
    """

    source = models.CharField(max_length=80, blank=True, default="")
    missing_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class VersionedRow(DirectoryRow):
    """A row that people edit: `version` catches two editors at once, `changed_at` is the last change of content.

    `changed_at` is not "confirmed": verification is a fact of its own (directory.Verification).
    """

    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(db_index=True)

    class Meta:
        abstract = True


class Organization(VersionedRow):
    """HSDS organization."""

    personal = {"email": Personal("public contact of the organization", "directory", "public")}
    not_personal = "published facts about an organization"

    name = models.TextField()
    alternate_name = models.TextField(blank=True, default="")
    description = models.TextField(blank=True, default="")
    email = models.TextField(blank=True, default="")
    website = models.TextField(blank=True, default="")
    tax_status = models.TextField(blank=True, default="")
    tax_id = models.TextField(blank=True, default="")
    year_incorporated = models.IntegerField(null=True, blank=True)
    legal_status = models.TextField(blank=True, default="")
    logo = models.TextField(blank=True, default="")
    uri = models.TextField(blank=True, default="")
    parent_organization = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="orgs_name_given"),
            models.CheckConstraint(
                condition=models.Q(year_incorporated__isnull=True)
                | models.Q(year_incorporated__gte=1000, year_incorporated__lte=2999),
                name="orgs_year",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OrganizationIdentifier(DirectoryRow):
    """HSDS organization_identifier: a number in somebody's register."""

    not_personal = "public register numbers"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="organization_identifiers")
    identifier_scheme = models.TextField(blank=True, default="")
    identifier_type = models.TextField()
    identifier = models.TextField()


class PartnerRole(models.TextChoices):
    WORKER = "worker", _("Partner worker")
    MANAGER = "manager", _("Partner manager")


class Membership(Row):
    """A person works for an organization, since when and until when."""

    personal = {"user": Personal("who may act for the organization", "account", "account")}
    not_personal = "role and dates"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=PartnerRole.choices)
    since = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organization"],
                condition=models.Q(until__isnull=True),
                name="orgs_one_membership",
            ),
            models.CheckConstraint(condition=models.Q(role__in=PartnerRole.values), name="orgs_known_role"),
        ]


class ApiToken(Row):
    """A program asks in the name of a member of an organization: it gets what this member sees there by consent, of the
    classes of data named, until it expires, is revoked, or the membership ends. Its key is kept as a hash."""

    personal = {"name": Personal("to recognize the program", "account", "account")}
    not_personal = "classes of data, dates and the hash of a random key; the owner is the membership's"

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    #: a set of core.access.DataClass, never more than what can be shared
    classes = models.IntegerField()
    key_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="orgs_token_named"),
            models.CheckConstraint(
                condition=models.Q(classes__gt=0, classes__lte=SHAREABLE.value), name="orgs_token_classes"
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__lte=models.F("created_at") + dt.timedelta(days=366)),
                name="orgs_token_expires",
            ),
        ]


class MembershipOffer(Row):
    """What an invitation offers to a partner: a role in an organization, given when the invitation is accepted."""

    not_personal = "an organization and a role; the person is in the invitation"

    invitation = models.OneToOneField("accounts.Invitation", on_delete=models.CASCADE, related_name="membership_offer")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="membership_offers")
    role = models.CharField(max_length=10, choices=PartnerRole.choices)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=PartnerRole.values), name="orgs_offered_role")
        ]
