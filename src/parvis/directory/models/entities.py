"""HSDS 3.2 entities as tables, ready for 3.3. Field names are the standard's; its meanings are in docs/words.md.

An absent text is the empty string, an absent number or date is NULL; the renderer leaves both out. Organization
and OrganizationIdentifier live in parvis.orgs.models.
"""

from typing import Any

from django.db import models
from django.db.models import F, Q

from parvis.kit.models import Personal
from parvis.orgs.models import DirectoryRow, Organization, VersionedRow


def text() -> Any:
    return models.TextField(blank=True, default="")


def parent(to: Any, related_name: str, *, null: bool = True) -> Any:
    """A link to the thing that owns this row: gone when it goes."""
    return models.ForeignKey(to, null=null, blank=null, on_delete=models.CASCADE, related_name=related_name)


def belongs(name: str, *links: str) -> models.CheckConstraint:
    """A child row belongs to at least one parent."""
    condition = Q()
    for link in links:
        condition |= Q(**{f"{link}__isnull": False})
    return models.CheckConstraint(condition=condition, name=name)


class Taxonomy(VersionedRow):
    not_personal = "published classification"

    name = models.TextField()
    description = text()
    uri = text()
    taxonomy_version = text()  # HSDS `version`; ours is the row's


class TaxonomyTerm(VersionedRow):
    not_personal = "published classification"

    code = text()
    name = models.TextField()
    description = text()
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children")
    taxonomy = models.ForeignKey(Taxonomy, null=True, blank=True, on_delete=models.CASCADE, related_name="terms")
    taxonomy_name = text()  # HSDS `taxonomy`: the name, for a term whose taxonomy is not a row
    language = text()
    term_uri = text()
    #: everyday words that lead here, by language: {"fr": ["cours de français", ...], "ar": [...]}
    synonyms = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(parent=F("id")), name="directory_term_not_own_parent")]


class Program(VersionedRow):
    not_personal = "published facts about a programme"

    organization = parent(Organization, "programs")
    name = models.TextField()
    alternate_name = text()
    description = text()


class ServiceStatus(models.TextChoices):
    ACTIVE = "active", "active"
    INACTIVE = "inactive", "inactive"
    DEFUNCT = "defunct", "defunct"
    TEMPORARILY_CLOSED = "temporarily closed", "temporarily closed"


class Service(VersionedRow):
    personal = {
        "email": Personal("public contact of the service", "directory", "public"),
        "assurer_email": Personal("who confirmed the facts", "directory", "public"),
    }
    not_personal = "published facts about a service"

    organization = parent(Organization, "services")
    program = models.ForeignKey(Program, null=True, blank=True, on_delete=models.SET_NULL, related_name="services")
    name = models.TextField()
    alternate_name = text()
    description = text()
    url = text()
    email = text()
    status = models.CharField(max_length=20, choices=ServiceStatus.choices, default=ServiceStatus.ACTIVE)
    interpretation_services = text()
    application_process = text()
    fees_description = text()
    wait_time = text()
    fees = text()
    accreditations = text()
    eligibility_description = text()
    minimum_age = models.FloatField(null=True, blank=True)
    maximum_age = models.FloatField(null=True, blank=True)
    assured_date = models.DateField(null=True, blank=True)
    assurer_email = text()
    licenses = text()
    alert = text()
    last_modified = models.DateTimeField(null=True, blank=True)  # the source's word; changed_at is ours

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="directory_service_name_given"),
            models.CheckConstraint(condition=Q(status__in=ServiceStatus.values), name="directory_service_status"),
            models.CheckConstraint(
                condition=Q(minimum_age__isnull=True)
                | Q(maximum_age__isnull=True)
                | Q(minimum_age__lte=F("maximum_age")),
                name="directory_service_ages",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class LocationType(models.TextChoices):
    PHYSICAL = "physical", "physical"
    POSTAL = "postal", "postal"
    VIRTUAL = "virtual", "virtual"


class Location(VersionedRow):
    not_personal = "public places"

    organization = parent(Organization, "locations")
    location_type = models.CharField(max_length=10, choices=LocationType.choices, default=LocationType.PHYSICAL)
    url = text()
    name = text()
    alternate_name = text()
    description = text()
    transportation = text()
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    external_identifier = text()
    external_identifier_type = text()
    borough = models.CharField(max_length=80, blank=True, default="")  # places.Borough code, from the point

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(location_type__in=LocationType.values), name="directory_location_type"),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True) | Q(latitude__gte=-90, latitude__lte=90),
                name="directory_location_latitude",
            ),
            models.CheckConstraint(
                condition=Q(longitude__isnull=True) | Q(longitude__gte=-180, longitude__lte=180),
                name="directory_location_longitude",
            ),
        ]


class ServiceAtLocation(VersionedRow):
    not_personal = "where a service is given"

    service = parent(Service, "service_at_locations", null=False)
    location = parent(Location, "service_at_locations", null=False)
    description = text()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "location"], name="directory_service_once_at_location")
        ]


class Address(DirectoryRow):
    not_personal = "addresses of public places"

    location = parent(Location, "addresses")
    attention = text()
    address_1 = text()
    address_2 = text()
    city = text()
    region = text()
    state_province = text()
    postal_code = text()
    country = text()
    address_type = models.CharField(max_length=10, choices=LocationType.choices, default=LocationType.PHYSICAL)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(address_type__in=LocationType.values), name="directory_address_type"),
            models.CheckConstraint(condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$"), name="directory_country"),
        ]
        indexes = [models.Index(fields=["postal_code"], name="directory_postal_code")]


class Contact(DirectoryRow):
    personal = {
        "name": Personal("public contact of the organization", "directory", "public"),
        "email": Personal("public contact of the organization", "directory", "public"),
        "title": Personal("public contact of the organization", "directory", "public"),
    }
    not_personal = "links and department"

    organization = parent(Organization, "contacts")
    service = parent(Service, "contacts")
    service_at_location = parent(ServiceAtLocation, "contacts")
    location = parent(Location, "contacts")
    name = text()
    title = text()
    department = text()
    email = text()

    class Meta:
        constraints = [
            belongs("directory_contact_belongs", "organization", "service", "service_at_location", "location")
        ]


class Phone(DirectoryRow):
    personal = {"number": Personal("public contact of the organization", "directory", "public")}
    not_personal = "links and description"

    location = parent(Location, "phones")
    service = parent(Service, "phones")
    organization = parent(Organization, "phones")
    contact = parent(Contact, "phones")
    service_at_location = parent(ServiceAtLocation, "phones")
    number = models.TextField()
    extension = models.IntegerField(null=True, blank=True)
    type = text()
    description = text()
    priority = models.IntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            belongs(
                "directory_phone_belongs",
                "location",
                "service",
                "organization",
                "contact",
                "service_at_location",
            )
        ]


class Schedule(DirectoryRow):
    """Opening times as a recurrence (RFC 5545 words), a closure when `closed`, a date of one's own when no `freq`.

    `opens_at`/`closes_at` are local wall times; a closing time at or before the opening one is on the next day.
    """

    not_personal = "opening times"

    service = parent(Service, "schedules")
    location = parent(Location, "schedules")
    service_at_location = parent(ServiceAtLocation, "schedules")
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    dtstart = models.DateField(null=True, blank=True)
    timezone = models.FloatField(null=True, blank=True)  # HSDS: an offset in hours; the zone is the city's
    until = models.DateField(null=True, blank=True)
    count = models.IntegerField(null=True, blank=True)
    wkst = models.CharField(max_length=2, blank=True, default="")
    freq = models.CharField(max_length=10, blank=True, default="")
    interval = models.IntegerField(null=True, blank=True)
    byday = text()
    byweekno = text()
    bymonthday = text()
    byyearday = text()
    description = text()
    opens_at = models.TimeField(null=True, blank=True)
    closes_at = models.TimeField(null=True, blank=True)
    schedule_link = text()
    attending_type = text()
    notes = text()
    closed = models.BooleanField(default=False)
    group = text()  # HSDS 3.3: operating_hours or events

    class Meta:
        constraints = [
            belongs("directory_schedule_belongs", "service", "location", "service_at_location"),
            models.CheckConstraint(condition=Q(freq__in=["", "WEEKLY", "MONTHLY"]), name="directory_schedule_freq"),
            models.CheckConstraint(
                condition=Q(wkst__in=["", "MO", "TU", "WE", "TH", "FR", "SA", "SU"]),
                name="directory_schedule_wkst",
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_to__isnull=True) | Q(valid_from__lte=F("valid_to")),
                name="directory_schedule_dates",
            ),
        ]


class Language(DirectoryRow):
    not_personal = "languages a service is given in"

    service = parent(Service, "languages")
    location = parent(Location, "languages")
    phone = parent(Phone, "languages")
    name = text()
    code = text()
    note = text()

    class Meta:
        constraints = [belongs("directory_language_belongs", "service", "location", "phone")]


class Funding(DirectoryRow):
    not_personal = "who pays"

    organization = parent(Organization, "funding")
    service = parent(Service, "funding")
    source_name = text()  # HSDS `source`; ours is where the row came from

    class Meta:
        constraints = [belongs("directory_funding_belongs", "organization", "service")]


class Accessibility(DirectoryRow):
    not_personal = "facts about a building"

    location = parent(Location, "accessibility", null=False)
    description = text()
    details = text()
    url = text()


class CostOption(DirectoryRow):
    not_personal = "prices"

    service = parent(Service, "cost_options", null=False)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    option = text()
    currency = text()
    amount = models.DecimalField(null=True, blank=True, max_digits=12, decimal_places=2)
    amount_description = text()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__isnull=True) | Q(amount__gte=0), name="directory_amount")
        ]


class RequiredDocument(DirectoryRow):
    not_personal = "what to bring"

    service = parent(Service, "required_documents", null=False)
    document = text()
    uri = text()


class ServiceArea(DirectoryRow):
    not_personal = "where people may come from"

    service = parent(Service, "service_areas")
    service_at_location = parent(ServiceAtLocation, "service_areas")
    name = text()
    description = text()
    extent = text()
    extent_type = text()
    uri = text()

    class Meta:
        constraints = [belongs("directory_area_belongs", "service", "service_at_location")]


class Unit(DirectoryRow):
    not_personal = "what a capacity is counted in"

    name = models.TextField()
    scheme = text()
    identifier = text()
    uri = text()


class ServiceCapacity(DirectoryRow):
    not_personal = "places offered"

    service = parent(Service, "capacities", null=False)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="capacities")
    available = models.FloatField()
    maximum = models.FloatField(null=True, blank=True)
    description = text()
    updated = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(available__gte=0), name="directory_capacity_available"),
        ]


class Url(DirectoryRow):
    not_personal = "public addresses on the web"

    organization = parent(Organization, "additional_websites")
    service = parent(Service, "additional_urls")
    label = text()
    url = models.TextField()

    class Meta:
        constraints = [belongs("directory_url_belongs", "organization", "service")]


class Attribute(DirectoryRow):
    """HSDS attribute: a taxonomy term, or a labelled value, on any row (`link_entity` names the table)."""

    not_personal = "published classification"

    link_id = models.UUIDField(db_index=True)
    link_entity = models.CharField(max_length=40)
    link_type = text()
    taxonomy_term = models.ForeignKey(
        TaxonomyTerm, null=True, blank=True, on_delete=models.CASCADE, related_name="attributes"
    )
    label = text()
    value = text()


class Metadata(DirectoryRow):
    """HSDS metadata as imported. What Parvis itself changes is in the ledger."""

    not_personal = "changes of published facts"

    resource_id = models.UUIDField(db_index=True)
    resource_type = models.CharField(max_length=40, blank=True, default="")
    last_action_date = models.DateField()
    last_action_type = models.TextField()
    field_name = text()
    previous_value = text()
    replacement_value = text()
    updated_by = text()


class MetaTableDescription(DirectoryRow):
    not_personal = "about a data set"

    name = text()
    language = text()
    character_set = text()
