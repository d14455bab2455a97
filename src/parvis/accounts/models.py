"""The people who sign in. One table a city: the same address in two cities is two accounts."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from parvis.kit.models import Personal, Row


class Role(models.TextChoices):
    """Roles in the office. Partners have no office role; theirs comes with an organization (orgs.Membership)."""

    NONE = "", "—"
    AGENT = "agent", "office agent"
    COORDINATOR = "coordinator", "network coordinator"
    DIRECTOR = "director", "director"
    ADMINISTRATOR = "administrator", "city administrator"


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
        "email": Personal("sign-in", "account"),
        "name": Personal("sign-in", "account"),
        "language": Personal("sign-in", "account"),
        "password": Personal("sign-in", "account"),
        "last_login": Personal("security", "account"),
    }
    not_personal = "role and state of the account"

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=12, blank=True)
    office_role = models.CharField(max_length=20, choices=Role.choices, blank=True, default="")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="accounts_email_any_case"),
            models.CheckConstraint(
                condition=models.Q(office_role__in=["", *[role.value for role in Role if role.value]]),
                name="accounts_known_role",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email
