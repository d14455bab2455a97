"""The people who sign in. One table a city: the same address in two cities is two accounts."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from parvis.kit.models import Personal, Row


class Role(models.TextChoices):
    """Roles in the office. Partners have no office role; theirs comes with an organization (orgs.Membership)."""

    NONE = "", "—"
    AGENT = "agent", _("Office agent")
    COORDINATOR = "coordinator", _("Network coordinator")
    DIRECTOR = "director", _("Director")
    ADMINISTRATOR = "administrator", _("City administrator")
    PRIVACY = "privacy", _("Privacy officer")


OFFICE_ROLES = [role.value for role in Role if role.value]


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email__iexact=email)


class User(AbstractBaseUser, Row):
    """A person with a sign-in."""

    personal = {
        "email": Personal("sign-in", "account", "account"),
        "name": Personal("sign-in", "account", "account"),
        "language": Personal("sign-in", "account", "account"),
        "password": Personal("sign-in", "account", "account"),
        "last_login": Personal("security", "account", "account"),
    }
    not_personal = "role and state of the account"

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=12, blank=True)
    office_role = models.CharField(max_length=20, choices=Role.choices, blank=True, default="")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(
        null=True, blank=True
    )  # since when it is suspended: two years later it is forgotten

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="accounts_email_any_case"),
            models.CheckConstraint(condition=models.Q(office_role__in=["", *OFFICE_ROLES]), name="accounts_known_role"),
            models.CheckConstraint(
                condition=models.Q(is_active=True, closed_at__isnull=True)
                | models.Q(is_active=False, closed_at__isnull=False),
                name="accounts_closed_since",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email


class Session(Row):
    """A browser that is signed in (or about to be). Its key is kept as a hash: a stolen table opens nothing."""

    personal = {
        "user": Personal("to end one's own sessions", "session", "account"),
        "browser": Personal("to recognize one's own sessions", "session", "account"),
        "data": Personal("sign-in", "session", "account"),
    }
    not_personal = "dates and the hash of a random key"

    key_hash = models.CharField(max_length=64, unique=True)
    data = models.TextField()
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    browser = models.CharField(max_length=80, blank=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gte=models.F("started_at")), name="accounts_session_ends"
            )
        ]


class Invitation(Row):
    """A link by mail that makes one account, once, within seven days. The link's secret is kept as a hash."""

    personal = {
        "email": Personal("to deliver the invitation", "invitation", "account"),
        "name": Personal("to greet the invited person", "invitation", "account"),
        "language": Personal("to write in the person's language", "invitation", "account"),
    }
    not_personal = "role, dates and the hash of a random key"

    email = models.EmailField()
    name = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=12)
    office_role = models.CharField(max_length=20, choices=Role.choices, blank=True, default="")
    key_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(office_role__in=["", *OFFICE_ROLES]), name="accounts_invited_role"
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at__isnull=True) | models.Q(revoked_at__isnull=True),
                name="accounts_accepted_or_revoked",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at__isnull=True, accepted_by__isnull=True)
                | models.Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="accounts_accepted_by_somebody",
            ),
        ]


class Throttle(Row):
    """How often somebody failed to sign in to an account, or from a network address; and until when they must wait.

    The name is kept as a keyed hash: the table tells nobody which addresses were tried.
    """

    not_personal = "counters under a keyed hash"

    key_hash = models.CharField(max_length=64, unique=True)
    failures = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()
    locks = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
