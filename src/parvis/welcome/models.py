"""The desk without network: whether the office wants it, and what has arrived from it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from parvis.kit.models import Personal, Row

#: half a day
LONGEST = 12


class OfflineSwitch(Row):
    """One row: does the office let browsers keep the day's work, and for how many hours? Off until somebody says so."""

    not_personal = "a setting of the office"

    only = models.BooleanField(default=True, unique=True)
    on = models.BooleanField(default=False)
    hours = models.SmallIntegerField(default=LONGEST)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(only=True), name="welcome_one_switch"),
            models.CheckConstraint(condition=Q(hours__gte=1, hours__lte=LONGEST), name="welcome_switch_hours"),
        ]


class Receipt(Row):
    """A write that a browser kept and sent has arrived: it is never done twice. The key is the browser's."""

    personal = {"user": Personal("to receive once what was written without network", "message", "account")}
    not_personal = "keys, dates and the answer, which names nobody"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.UUIDField()
    kind = models.CharField(max_length=20)
    answer = models.JSONField(default=dict)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="welcome_receipt_once")]
