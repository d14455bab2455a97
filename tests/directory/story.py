"""Alice manages organization A, Bob works for organization B, Charlie coordinates the network; Diane directs."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.test import Client
from django.utils import timezone

from parvis.accounts.models import User
from parvis.directory import documents, models, search
from parvis.orgs.models import Membership, Organization


@dataclass
class Story:
    alice: User
    bob: User
    charlie: User
    diane: User
    house: Organization  # Alice's
    workshop: Organization  # Bob's
    place: models.Location
    course: models.Service  # of the house, given at the place
    link: models.ServiceAtLocation

    def client(self, user: User | None, host: str = "montreal.localhost") -> Client:
        client = Client(headers={"host": host})
        if user is not None:
            client.force_login(user)
        return client


def _user(name: str, role: str = "") -> User:
    return User.objects.create(email=f"{name.lower()}@example.org", name=name, office_role=role)


def tell() -> Story:
    """The story's rows in the active, empty city."""
    now = timezone.now()
    house = Organization.objects.create(name="Maison des Ormes", description="Accueil de quartier", changed_at=now)
    workshop = Organization.objects.create(name="Atelier du Port", description="Réparer ensemble", changed_at=now)
    alice, bob = _user("Alice"), _user("Bob")
    Membership.objects.create(user=alice, organization=house, role="manager")
    Membership.objects.create(user=bob, organization=workshop, role="worker")
    place = models.Location.objects.create(organization=house, name="Salle des Ormes", changed_at=now)
    models.Address.objects.create(
        location=place, address_1="12, rue des Trois-Ormes", city="Montréal", state_province="QC",
        postal_code="H2X 1Y4", country="CA",
    )  # fmt: skip
    course = models.Service.objects.create(
        organization=house, name="Cours de français", description="Deux soirs par semaine", changed_at=now
    )
    link = models.ServiceAtLocation.objects.create(service=course, location=place, changed_at=now)
    models.Phone.objects.create(service=course, number="+1 514 555-0101", type="voice")
    with transaction.atomic():
        documents.refresh(everything=True)
        search.refresh()
    charlie, diane = _user("Charlie", "coordinator"), _user("Diane", "director")
    return Story(alice, bob, charlie, diane, house, workshop, place, course, link)


def published(obj: Any) -> str:
    """The rendered document of an object, "" when it has none."""
    from parvis.directory.facts import kind_of

    row = models.Document.objects.filter(kind=kind_of(obj), object_id=obj.pk).first()
    return row.whole if row else ""
