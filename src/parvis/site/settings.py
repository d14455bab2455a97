"""Settings of the installation. Everything that differs between two offices is an environment variable.

`parvis.site.boot.boot()` sets PARVIS_DSN, SECRET_KEY and PARVIS_HOME before these are read.
"""

import os
from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from django.conf.locale import LANG_INFO
from psycopg.conninfo import conninfo_to_dict

from parvis.core import language
from parvis.kit.server import KeyEncryptionKeys

HOME = Path(os.environ.get("PARVIS_HOME", "var")).resolve()
#: "demo" (sign-ins printed, second factor offered) or "production" (second factor required of office staff)
MODE = os.environ.get("PARVIS_MODE", "demo")
PRODUCTION = MODE == "production"
DEBUG = False
#: Version of the Human Services Data Specification that the API speaks: "3.2", or "3.3" for who wants to try it.
HSDS_VERSION = os.environ.get("HSDS_VERSION", "3.2")
SECRET_KEY = os.environ.get("SECRET_KEY", "only-for-tools-that-never-serve")
#: Signs who acts, for the database (kit.acting).
CONTEXT_KEY = os.environ.get("PARVIS_CONTEXT_KEY", SECRET_KEY)
#: Keys of the blind indexes, and key-encryption keys by version: outside the database, never in a backup.
BLIND_KEY = os.environ.get("PARVIS_BLIND_KEY", SECRET_KEY)
KEY_ENCRYPTION_KEYS = KeyEncryptionKeys(HOME)
# The middleware knows the domains of every city and refuses all others.
ALLOWED_HOSTS = ["*"]

SHARED_APPS = ["django_tenants", "parvis.cities", "django_tasks", "django_tasks_db"]
TENANT_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    # before allauth: our templates are found first
    "parvis.kit",
    "parvis.accounts",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "parvis.ledger",
    "parvis.words",
    "parvis.places",
    "parvis.orgs",
    "parvis.directory",
    "parvis.cases",
    "parvis.messaging",
    "parvis.plans",
    "parvis.appointments",
    "parvis.arrivals",
    "parvis.referrals",
    "parvis.network",
    "parvis.welcome",
]
_PLAIN_APPS = [
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "leaflet",
    "csp",
    "parvis.api",
]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS, *_PLAIN_APPS]
TENANT_MODEL = "cities.City"
TENANT_DOMAIN_MODEL = "cities.Domain"
TENANT_LIMIT_SET_CALLS = True

_dsn = conninfo_to_dict(os.environ.get("PARVIS_DSN", "dbname=parvis"))
DATABASES = {
    "default": {
        "ENGINE": "parvis.kit.postgres",
        "NAME": _dsn.pop("dbname", "parvis"),
        "USER": _dsn.pop("user", ""),
        "PASSWORD": _dsn.pop("password", ""),
        "HOST": _dsn.pop("host", ""),
        "PORT": _dsn.pop("port", ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**_dsn},
        "ATOMIC_REQUESTS": False,
    }
}
if os.environ.get("PARVIS_PUBLIC_DSN"):
    # a second connection, of the role that reads only what is published (kit.public)
    _public = conninfo_to_dict(os.environ["PARVIS_PUBLIC_DSN"])
    DATABASES["public"] = DATABASES["default"] | {
        "NAME": _public.pop("dbname", "parvis"),
        "USER": _public.pop("user", ""),
        "PASSWORD": _public.pop("password", ""),
        "HOST": _public.pop("host", ""),
        "PORT": _public.pop("port", ""),
        "OPTIONS": {**_public},
    }
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

MIDDLEWARE = [
    "parvis.cities.middleware.CityMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "parvis.accounts.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "parvis.api.bearer.BearerMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "parvis.accounts.middleware.ClosedByDefault",
    "parvis.accounts.middleware.ActingMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "parvis.site.urls"
WSGI_APPLICATION = "parvis.site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "parvis.kit.context.page",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.app_directories.Loader"],
                )
            ],
        },
    }
]

# Languages of the interface: a folder in locale/ is a language, French first. No other line names one.
LOCALE_PATHS = [Path(__file__).parent.parent / "locale"]
LANGUAGE_CODE = "fr"
LANGUAGES = [
    (code, language.own_name(code))
    for code in sorted(
        {path.parent.parent.name for path in LOCALE_PATHS[0].glob("*/LC_MESSAGES/django.po")} | {LANGUAGE_CODE},
        key=lambda code: (code != LANGUAGE_CODE, code),
    )
]
for _code, _name in LANGUAGES:  # Django knows most languages' names and directions, not all (Tigrinya, Dari)
    LANG_INFO.setdefault(
        _code,
        {"bidi": language.direction(_code) == "rtl", "code": _code, "name": language.name(_code), "name_local": _name},
    )
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
FORMAT_MODULE_PATH = "parvis.kit.formats"
USE_TZ = True
TIME_ZONE = "UTC"  # the database's; pages are shown in the city's zone

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "parvis.kit.assets.Storage"},
}
WHITENOISE_MANIFEST_STRICT = False
#: Where copies of the ledger's anchors go: a folder, mailto:address, or command:program; empty: PARVIS_HOME only
ANCHOR_TO = os.environ.get("ANCHOR_TO", "")
#: ClamAV's daemon, such as tcp://127.0.0.1:3310 or unix:///run/clamav/clamd.ctl; empty: attachments are not scanned
CLAMAV_URL = os.environ.get("CLAMAV_URL", "")
MEDIA_ROOT = HOME / "media"

# No one else's bytes on any page, no inline script, no inline style.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "parvis_session"
SESSION_ENGINE = "parvis.accounts.sessions"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_USE_SESSIONS = False

EMAIL_BACKEND = "parvis.kit.outbox.Backend"
DEFAULT_FROM_EMAIL = os.environ.get("MAIL_FROM", "parvis@example.org")
#: Where the worker relays mail: smtp://user:password@host:port (smtps:// for TLS). Empty: files under PARVIS_HOME/mail.
MAIL_URL = os.environ.get("MAIL_URL", "")
#: The gateway for text messages: https://ACCOUNT:TOKEN@host/2010-04-01?from=%2B1514... (messaging.gateway); empty: file
SMS_URL = os.environ.get("SMS_URL", "")
#: The address under which people outside reach a city, for links in messages; empty: its first host name
SITE_URL = os.environ.get("SITE_URL", "")

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "kit_cache",
        # rate limits and used codes live here: a flood must not push them out
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    }
}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"class": "parvis.kit.logs.Discreet", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    # a wrong address is its sender's affair, and its path may hold a name: not in our logs
    "loggers": {"django.request": {"level": "ERROR"}, "django.security": {"level": "ERROR"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "WARNING")},
}

from parvis.accounts.settings import *  # noqa: E402, F403  # sign-in has its own page of settings
