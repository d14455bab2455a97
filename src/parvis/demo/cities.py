"""The two demo cities: what is theirs alone. Streets, people and numbers are invented."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class DemoCity:
    """A city of the demo. `weights` say how much of the network is in each borough (any unit, 1 by default)."""

    code: str
    name: str
    state_province: str
    country: str
    languages: tuple[str, ...]
    timezone: str
    offset: float  # hours, winter: HSDS knows only an offset
    currency: str
    services: int
    domains: tuple[str, ...]
    spoken: dict[str, float]  # language tag -> share of the services given in it
    streets: tuple[str, ...]
    holidays: tuple[str, ...]  # month-day
    office_phone: str
    office_email: str
    weights: dict[str, int] = field(default_factory=dict)

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


#: Names of languages as the demo writes them, in French: the source language of both cities.
LANGUAGE_NAMES = {
    "fr": "Français", "en": "Anglais", "ar": "Arabe", "es": "Espagnol", "ht": "Créole haïtien", "uk": "Ukrainien",
    "ti": "Tigrigna", "prs": "Dari", "fa": "Persan", "ps": "Pachto", "so": "Somali", "pt": "Portugais",
    "zh": "Chinois", "ru": "Russe", "ur": "Ourdou", "pa": "Pendjabi", "bn": "Bengali", "ta": "Tamoul",
    "vi": "Vietnamien", "tr": "Turc", "rw": "Kinyarwanda", "sw": "Swahili", "ln": "Lingala", "ro": "Roumain",
    "sq": "Albanais", "ku": "Kurde", "am": "Amharique", "fi": "Finnois", "lo": "Lao",
}  # fmt: skip

MONTREAL = DemoCity(
    code="montreal",
    office_phone="514-555-0100",
    office_email="accueil@example.org",
    name="Montréal",
    state_province="QC",
    country="CA",
    languages=("fr", "en", "ar", "es"),
    timezone="America/Toronto",
    offset=-5,
    currency="CAD",
    services=400,
    domains=("montreal.localhost", "localhost", "127.0.0.1"),
    spoken={
        "en": 0.72, "es": 0.38, "ar": 0.36, "ht": 0.19, "uk": 0.11, "fa": 0.09, "prs": 0.08, "pt": 0.09, "zh": 0.09,
        "ru": 0.09, "ti": 0.06, "ur": 0.06, "pa": 0.06, "bn": 0.05, "so": 0.05, "ps": 0.04, "ta": 0.04, "vi": 0.04,
        "tr": 0.04, "rw": 0.03, "sw": 0.03, "ln": 0.03, "ro": 0.03, "lo": 0.004, "fi": 0.002,
    },
    streets=(
        "rue des Trois-Ormes", "avenue du Ruisseau", "boulevard des Cèdres-Blancs", "rue de la Gare-Perdue",
        "rue des Potiers", "avenue des Grandes-Marées", "rue du Sentier", "rue des Chaloupes", "avenue de la Forge",
        "rue du Verger-Haut", "rue des Merisiers", "boulevard du Belvédère-Est", "avenue des Sorbiers",
        "rue de la Meunière", "rue du Vieux-Puits", "avenue des Framboisiers", "rue des Tisserandes",
        "rue de la Tannerie", "avenue du Pré-Fleuri", "rue des Cordiers", "boulevard des Peupliers-Gris",
        "rue du Passeur", "rue de l'Échalier", "avenue des Outardes", "rue des Bateliers", "rue de la Vigie",
        "avenue du Trille", "rue des Campanules", "rue de la Glacière", "boulevard de la Grève",
        "avenue des Épinettes", "rue du Rossignol", "rue des Maraîchers-Unis", "rue de la Poudrière",
        "avenue du Coteau-Nord", "rue des Ancolies", "rue de la Lessive", "avenue du Chenal", "rue du Four-à-Pain",
        "rue des Draveurs", "avenue des Aubépines", "rue de la Sablière", "rue des Pionnières", "avenue du Sureau",
    ),
    holidays=("01-01", "06-24", "07-01", "12-25", "12-26"),
    weights={
        "ville-marie": 15, "cote-des-neiges-notre-dame-de-grace": 16, "villeray-saint-michel-parc-extension": 16,
        "saint-laurent": 11, "ahuntsic-cartierville": 12, "rosemont-la-petite-patrie": 10, "plateau-mont-royal": 10,
        "mercier-hochelaga-maisonneuve": 10, "sud-ouest": 8, "montreal-nord": 10, "saint-leonard": 7, "lasalle": 6,
        "verdun": 5, "lachine": 4, "pierrefonds-roxboro": 5, "riviere-des-prairies-pointe-aux-trembles": 6,
        "anjou": 3, "outremont": 2, "ile-bizard-sainte-genevieve": 1,
    },
)  # fmt: skip

GENEVE = DemoCity(
    code="geneve",
    office_phone="+41 22 555 01 00",
    office_email="accueil-geneve@example.org",
    name="Genève",
    state_province="GE",
    country="CH",
    languages=("fr", "en", "ar"),
    timezone="Europe/Zurich",
    offset=1,
    currency="CHF",
    services=60,
    domains=("geneve.localhost",),
    spoken={
        "en": 0.66, "ar": 0.34, "pt": 0.26, "es": 0.24, "ti": 0.22, "fa": 0.14, "prs": 0.14, "sq": 0.14, "uk": 0.14,
        "tr": 0.12, "so": 0.1, "ku": 0.1, "am": 0.08, "ta": 0.08, "ru": 0.08,
    },
    streets=(
        "rue des Trois-Fontaines", "chemin du Vignoble-Haut", "rue de la Batelière", "avenue des Marronniers-Roses",
        "quai des Mouettes", "rue du Tonnelier", "chemin des Noyers-Vieux", "rue des Cadrans", "place du Pressoir",
        "avenue du Mont-Clair", "rue de l'Imprimeur", "chemin de la Source-Froide", "rue des Horlogères",
        "rue du Lavoir-Neuf", "avenue des Glycines", "chemin des Lézards", "rue de la Roseraie-Basse",
    ),
    holidays=("01-01", "08-01", "12-25", "12-31"),
    weights={"geneve-cite": 5, "plainpalais": 5, "petit-saconnex": 4, "eaux-vives": 3, "vernier": 3},
)  # fmt: skip

CITIES = {city.code: city for city in (MONTREAL, GENEVE)}

FIRST_NAMES = (
    "Amina", "Bilal", "Camille", "Dessalegn", "Elena", "Farid", "Guerline", "Hien", "Iryna", "Jonas", "Karima",
    "Lamine", "Marisol", "Nadège", "Olena", "Parisa", "Quentin", "Rosalba", "Selam", "Tarek", "Ursula", "Viviane",
    "Wislande", "Ximena", "Yonas", "Zeynep", "Anaïs", "Bashir", "Colette", "Dario",
)  # fmt: skip
LAST_NAMES = (
    "Abrelon", "Benzarik", "Cormandel", "Dastanov", "Elmoradi", "Fontarel", "Gebrezal", "Hourvani", "Ivantchuk",
    "Jolivert", "Kassoumbé", "Lavertin", "Mirzadeh", "Nguemba", "Ortuval", "Petrovane", "Quintarel", "Rasolini",
    "Sadykar", "Tessandier", "Urbezo", "Valcimond", "Weldemar", "Xiradel", "Yacoubel", "Zambrelli",
)  # fmt: skip
#: Syllables of invented proper names: buildings are called after people whom nobody knows.
SYLLABLES = (
    ("Or", "Bel", "Tar", "Mon", "Cas", "Ver", "Dal", "Sor", "Lan", "Fer", "Gar", "Nor", "Pel", "Ros", "Val", "Mir",
     "Zan", "Kel", "Hor", "Jas", "Bru", "Cli", "Dro", "Fli"),
    ("van", "ti", "mo", "la", "re", "sou", "ba", "ne", "do", "ri", "go", "pa", "que", "zi", "cha", "lu"),
    ("del", "mont", "rac", "vin", "lier", "nard", "sson", "zel", "quet", "tier", "drin", "vaz", "nek", "rand",
     "louf", "mier", "ska", "tou"),
)  # fmt: skip
