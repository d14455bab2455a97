"""Translations of content. A translation belongs to a text, found by its digest: an edit makes it stale."""

from django.conf import settings
from django.db import models

from parvis.kit.models import Row


class Origin(models.TextChoices):
    HUMAN = "human", "written by a person"
    MACHINE = "machine", "made by a machine"
    REVIEWED = "reviewed", "made by a machine, read by a person"


class Phrase(models.Model):
    """A text that has been translated at least once; its key is the SHA-256 of the text (32 bytes)."""

    not_personal = "published content"

    digest = models.BinaryField(primary_key=True, max_length=32)
    language = models.CharField(max_length=12)
    text = models.TextField()
    #: the text that stood here before an edit: its renderings are shown, with a notice, until this one has its own
    follows = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="followers")


class Rendering(Row):
    """The phrase said in another language."""

    not_personal = "published content; `by` names who translated it"

    phrase = models.ForeignKey(Phrase, on_delete=models.CASCADE, related_name="renderings")
    language = models.CharField(max_length=12)
    text = models.TextField()
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.HUMAN)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["phrase", "language"], name="words_one_rendering"),
            models.CheckConstraint(condition=models.Q(origin__in=Origin.values), name="words_known_origin"),
        ]
