"""A small town for the browser: invented organizations with everything that a public page may have to show."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from parvis.core.language import fold
from parvis.directory import documents, models, search
from parvis.orgs.models import Organization
from parvis.places import gazetteer
from parvis.places.models import Borough, Spot
from parvis.words.actions import load

EVERY_DAY = "MO,TU,WE,TH,FR,SA,SU"
PHRASES = {
    "Cours de français du soir": (
        "دروس مسائية في اللغة الفرنسية", "Evening French course", "Curso de francés por la tarde"
    ),
    "Un cours gratuit, deux soirs par semaine, pour tous les niveaux. Les enfants jouent dans la salle voisine.": (
        "دورة مجانية، مساءان في الأسبوع، لجميع المستويات. يلعب الأطفال في القاعة المجاورة.",
        "A free course, two evenings a week, for every level. Children play in the room next door.",
        "Un curso gratuito, dos tardes por semana, para todos los niveles.",
    ),
    "Conseil juridique": ("استشارة قانونية", "Legal advice", "Asesoría jurídica"),
    "Toute personne arrivée depuis moins de cinq ans.": (
        "كل شخص وصل منذ أقل من خمس سنوات.",
        "Anyone who arrived less than five years ago.",
        "Toda persona que llegó hace menos de cinco años.",
    ),
}  # fmt: skip
TERMS = {
    "Cours de langue": {
        "fr": ["cours de français", "francisation"], "en": ["French course", "language course"],
        "ar": ["دروس اللغة", "تعلم الفرنسية"], "es": ["curso de francés", "clases de idioma"],
    },
    "Aide juridique": {
        "fr": ["avocat", "droit"], "en": ["lawyer", "legal advice"], "ar": ["محام", "محامي"], "es": ["abogado"],
    },
    "École": {
        "fr": ["école pour mes enfants", "scolarité"], "en": ["school"], "ar": ["مدرسة"], "es": ["escuela", "colegio"],
    },
    "Logement": {"fr": ["logement", "appartement"], "en": ["housing"], "ar": ["سكن"], "es": ["vivienda"]},
}  # fmt: skip


@dataclass
class Town:
    """Where the town is served, and what stands in it."""

    url: str
    city: Any
    ids: dict[str, uuid.UUID] = field(default_factory=dict)

    def page(self, path: str = "", language: str = "fr") -> str:
        return f"{self.url}/{language}/{path}"


def build(town: Town) -> None:
    """Fill the active, empty city. Committed when it returns."""
    with transaction.atomic():
        _places()
        _directory(town)
        documents.refresh(everything=True)
        search.refresh()


def _places() -> None:
    Borough.objects.bulk_create(
        Borough(code=a.code, name=a.name, geometry=a.geometry, latitude=a.latitude, longitude=a.longitude)
        for a in gazetteer.areas("montreal")
    )
    Spot.objects.bulk_create(
        Spot(name=p.name, folded=fold(p.name), kind=p.kind, boroughs=list(p.boroughs), latitude=p.latitude,
             longitude=p.longitude)
        for p in gazetteer.places("montreal")
    )  # fmt: skip


def _directory(town: Town) -> None:
    now = timezone.now()
    taxonomy = models.Taxonomy.objects.create(name="Besoins", description="Ce que l'on cherche", changed_at=now)
    terms = {
        name: models.TaxonomyTerm.objects.create(
            name=name, description=name, taxonomy=taxonomy, synonyms=words, language="fr", changed_at=now
        )
        for name, words in TERMS.items()
    }
    women = models.TaxonomyTerm.objects.create(
        code="women", name="Femmes", description="Femmes", taxonomy=taxonomy, changed_at=now
    )
    boroughs = list(gazetteer.areas("montreal"))
    for number in range(12):
        organization = Organization.objects.create(
            name=f"{['Maison', 'Atelier', 'Carrefour', 'Table'][number % 4]} {_NAMES[number]}",
            description="Un lieu ouvert à tout le quartier.",
            website="https://maison.example.org",
            email=f"bonjour{number}@example.org",
            changed_at=now,
        )
        area = boroughs[number]
        location = models.Location.objects.create(
            organization=organization, name=f"Local {_NAMES[number]}", latitude=area.latitude, borough=area.code,
            longitude=area.longitude, transportation="Métro Les Tilleuls, puis trois minutes à pied.", changed_at=now,
        )  # fmt: skip
        models.Address.objects.create(
            location=location, address_1=f"{100 + number}, rue des Trois-Ormes", city="Montréal", state_province="QC",
            postal_code="H2X 1Y4", country="CA",
        )  # fmt: skip
        if number % 2 == 0:
            models.Accessibility.objects.create(
                location=location, description="Accessible en fauteuil roulant", details="Rampe à l'entrée de la cour."
            )
        models.Phone.objects.create(organization=organization, number=f"514 555-01{number:02}", type="voice")
        if number == 11:
            town.ids["organization without service"] = organization.pk
            continue
        for kind in range(3):
            service = _service(organization, location, terms, number, kind, now)
            if (number, kind) == (0, 0):
                _complete(town, service, women, now)
            if (number, kind) == (1, 0):
                town.ids["bare service"] = service.pk
                models.Schedule.objects.filter(service=service).delete()
            if (number, kind) == (2, 1):
                town.ids["closed service"] = service.pk
                models.Service.objects.filter(pk=service.pk).update(status="temporarily closed")
            if (number, kind) == (3, 1):
                town.ids["unlisted service"] = service.pk
                models.Tombstone.objects.create(kind="service", object_id=service.pk, at=now, reason="unlisted")
        if number == 0:
            town.ids["organization"] = organization.pk
    town.ids["merged service"] = uuid.uuid4()
    documents.merged("service", town.ids["merged service"], town.ids["service"])
    # A listing that somebody filled with a web page: it must come out as text.
    hostile = models.Service.objects.create(
        organization_id=town.ids["organization"], name="<b>Gras</b> & cie", changed_at=now,
        description='<script>document.title="pris"</script><img src=x onerror="document.title=1">',
        url="javascript:document.title='pris'",
    )  # fmt: skip
    town.ids["hostile service"] = hostile.pk
    origins = (("ar", "machine"), ("en", "human"), ("es", "reviewed"))
    load(
        (text, "fr", language, said, origin)
        for text, said_in in PHRASES.items()
        for (language, origin), said in zip(origins, said_in, strict=True)
    )


_NAMES = ["des Deux Rives", "du Port", "des Tilleuls", "Nouveau Départ", "du Ruisseau", "des Sorbiers", "Quatre Vents",
          "des Potiers", "du Belvédère", "de la Forge", "des Outardes", "du Sentier"]  # fmt: skip
_KINDS = [("Cours de français du soir", "Cours de langue"), ("Conseil juridique", "Aide juridique"),
          ("Trouver un logement", "Logement")]  # fmt: skip


def _service(organization: Any, location: Any, terms: Any, number: int, kind: int, now: dt.datetime) -> Any:
    name, term = _KINDS[kind]
    service = models.Service.objects.create(
        organization=organization, name=name if number == 0 else f"{name} · {_NAMES[number]}", changed_at=now,
        description=list(PHRASES)[1] if kind == 0 else "Sur rendez-vous, en toute confidence.",
    )  # fmt: skip
    models.ServiceAtLocation.objects.create(service=service, location=location, changed_at=now)
    models.Attribute.objects.create(link_id=service.pk, link_entity="service", taxonomy_term=terms[term])
    for code in ["fr", *(["ar", "es"] if number % 3 == 0 else ["en"])]:
        models.Language.objects.create(service=service, code=code, name=code)
    # Even numbers are always open, so that "open now" has something to find at any hour of a test.
    models.Schedule.objects.create(
        service=service, freq="WEEKLY", byday=EVERY_DAY if number % 2 == 0 else "TU",
        opens_at=dt.time(0) if number % 2 == 0 else dt.time(18),
        closes_at=dt.time(0) if number % 2 == 0 else dt.time(21),
    )  # fmt: skip
    if kind == 0:
        models.CostOption.objects.create(service=service, option="Gratuit", amount=0, currency="CAD")
    return service


def _complete(town: Town, service: Any, audience: Any, now: dt.datetime) -> None:
    """One service with everything."""
    town.ids["service"] = service.pk
    models.Schedule.objects.filter(service=service).delete()
    for days, opens, closes in (("MO,WE", 18, 21), ("SA", 9, 12)):
        models.Schedule.objects.create(
            service=service, freq="WEEKLY", byday=days, opens_at=dt.time(opens), closes_at=dt.time(closes)
        )
    shut = timezone.localdate() + dt.timedelta(days=15)
    models.Schedule.objects.create(
        service=service, dtstart=shut, until=shut, closed=True, description="Fête de quartier"
    )
    models.Service.objects.filter(pk=service.pk).update(
        eligibility_description=list(PHRASES)[3], minimum_age=16, application_process="Appelez ou passez le mardi.",
        fees_description="Gratuit, le matériel aussi.", wait_time="Deux semaines", email="cours@example.org",
        url="https://cours.example.org", interpretation_services="Tigrigna sur demande",
        alert="Pas de cours le 24 juin.",
    )  # fmt: skip
    models.Attribute.objects.create(
        link_id=service.pk, link_entity="service", link_type="audience", taxonomy_term=audience
    )
    for paper in ("Pièce d'identité", "Preuve d'adresse"):
        models.RequiredDocument.objects.create(service=service, document=paper)
    models.Phone.objects.create(service=service, number="514 555-0199", extension=12, description="Inscriptions")
    models.Contact.objects.create(service=service, name="Alice Exemple", title="Responsable", email="alice@example.org")
    unit = models.Unit.objects.create(name="places")
    models.ServiceCapacity.objects.create(service=service, unit=unit, available=4, maximum=20, updated=now)
    models.ServiceArea.objects.create(service=service, name="Tout Montréal")
    models.Verification.objects.create(
        object_type="service", object_id=service.pk, at=now - dt.timedelta(days=12), by_name="Maison des Deux Rives",
        means="phone",
    )  # fmt: skip
