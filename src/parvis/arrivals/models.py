"""Lists of people who will arrive, what becomes of each of their rows, and who is expected where and when."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from parvis.cases.models.base import PersonRow
from parvis.core.access import DataClass
from parvis.kit.models import Personal, Row
from parvis.kit.sealing import SealedField


class MappingProfile(Row):
    """How the lists of one sender are read: heading -> field, kept under a name for the next one."""

    personal = {"by": Personal("who knows how this list is read", "case", "account")}
    not_personal = "headings of columns, and what they mean"

    holder_id = models.UUIDField()
    name = models.CharField(max_length=80)
    #: folded heading -> field of core.manifest, "" for a column that is not read
    headings = models.JSONField()
    #: "dmy", "mdy", or "" when each list tells by itself
    day_order = models.CharField(max_length=3, blank=True, default="")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["holder_id", "name"], name="arrivals_profile_once")]


class Manifest(Row):
    """A list as it came. Its cells and rows are sealed with a key of its own, which goes with them."""

    class State(models.TextChoices):
        READ = "read", _("To be looked at")
        IMPORTING = "importing", _("Being imported")
        IMPORTED = "imported", _("Imported")
        DISCARDED = "discarded", _("Set aside")

    personal = {
        "name": Personal("to recognize the list", "staging", "identity"),
        "cells": Personal("to open files for people who arrive", "staging", "identity"),
        "by": Personal("who brought the list", "case", "account"),
        "asked_by": Personal("who had the list imported", "case", "account"),
    }
    not_personal = "what the columns are, states, dates and counts"

    holder_id = models.UUIDField()
    #: SHA-256 of the file, by which the same file is known again
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=100)
    state = models.CharField(max_length=10, choices=State.choices, default=State.READ)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    #: every reading anew counts one: whoever looks at an older one is told
    version = models.PositiveIntegerField(default=1)
    #: row of the header from 0, headings, fields, order of day and month; what holds for all rows
    layout = models.JSONField(default=dict)
    defaults = models.JSONField(default=dict)
    profile = models.ForeignKey(MappingProfile, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    key_version = models.PositiveIntegerField(default=0)
    key = models.BinaryField(null=True)
    cells = SealedField(null=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    #: how the rows ended, by outcome
    counts = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["holder_id", "digest"], condition=~Q(state="discarded"), name="arrivals_manifest_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["read", "importing", "imported", "discarded"]), name="arrivals_manifest_state"
            ),
        ]
        indexes = [models.Index(fields=["holder_id", "-created_at"], name="arrivals_manifest_list")]


class ManifestRow(Row):
    """One person of a list, from the first look until the row has ended somewhere."""

    class Decision(models.TextChoices):
        NONE = "", _("Nobody has decided")
        ANOTHER = "another", _("Somebody else: a new person")
        SAME = "same", _("The same person")
        SKIP = "skip", _("Leave out")

    class Outcome(models.TextChoices):
        NONE = "", "—"
        CREATED = "created", _("New person")
        JOINED = "joined", _("Was there already")
        SKIPPED = "skipped", _("Left out, as decided")
        REFUSED = "refused", _("Could not be read")

    personal = {
        "content": Personal("to open a file for the person", "staging", "identity"),
        "candidates": Personal("so that nobody has two files", "staging", "identity"),
        "same_as": Personal("so that nobody has two files", "staging", "identity"),
        "became": Personal("to say what became of each row", "staging", "identity"),
    }
    not_personal = "keys, codes and numbers"

    holder_id = models.UUIDField()
    manifest = models.ForeignKey(Manifest, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    #: rows of one group are one household; the first is its head
    group = models.PositiveIntegerField()
    place = models.PositiveIntegerField(default=0)
    basis = models.CharField(max_length=10, default="alone")
    content = SealedField(null=True)
    #: [code, field] pairs, without values
    problems = models.JSONField(default=list)
    #: [person id, likeness, reasons], the likeliest first
    candidates = models.JSONField(default=list)
    decision = models.CharField(max_length=8, choices=Decision.choices, blank=True, default="")
    same_as = models.UUIDField(null=True, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, blank=True, default="")
    why = models.CharField(max_length=20, blank=True, default="")
    #: the person and household that the row became
    became = models.UUIDField(null=True, blank=True)
    household = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["manifest", "number"], name="arrivals_row_once"),
            models.CheckConstraint(
                condition=~Q(decision="same") | Q(same_as__isnull=False), name="arrivals_row_same_as_whom"
            ),
        ]
        indexes = [models.Index(fields=["manifest", "group", "place"], name="arrivals_row_group")]


class ImportProgress(Row):
    """How far an import is, written beside its transaction so that others can read it. Its key is the manifest's."""

    not_personal = "counts of a task"

    step = models.CharField(max_length=12, blank=True, default="")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()


class PaperEnd(PersonRow):
    """A keyed hash of the last signs of a paper that a list named: by it the same person is found again."""

    data_class = DataClass.DOCUMENTS
    personal = {"end": Personal("so that nobody has two files", "case", "documents")}
    not_personal = "keys"

    end = models.BigIntegerField(db_index=True)


class Arrival(PersonRow):
    """A household is expected, or came without a word. `person` is the head, who stands for all of them."""

    class State(models.TextChoices):
        EXPECTED = "expected", _("Expected")
        MET = "met", _("Met")
        NOT_MET = "not_met", _("Not met")
        CANCELLED = "cancelled", _("Cancelled")

    data_class = DataClass.HOUSEHOLD
    personal = {
        "household": Personal("to meet them when they arrive", "case", "household"),
        "expected_at": Personal("to meet them when they arrive", "case", "household"),
        "flight": Personal("to meet them when they arrive", "case", "household"),
        "place": Personal("to meet them when they arrive", "case", "household"),
        "met_at": Personal("to know that nobody was left alone", "case", "household"),
        "met_by": Personal("to know that nobody was left alone", "case", "household"),
    }
    not_personal = "states, dates and keys"

    household = models.ForeignKey("cases.Household", on_delete=models.CASCADE, related_name="arrivals")
    expected_at = models.DateTimeField()
    #: whether the hour is known, or only the day
    timed = models.BooleanField(default=True)
    flight = models.CharField(max_length=20, blank=True, default="")
    place = models.CharField(max_length=120, blank=True, default="")
    people = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=9, choices=State.choices, default=State.EXPECTED)
    met_at = models.DateTimeField(null=True, blank=True)
    met_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    manifest = models.ForeignKey(Manifest, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["expected", "met", "not_met", "cancelled"]), name="arrivals_state"
            ),
            models.CheckConstraint(
                condition=Q(state="met", met_at__isnull=False) | (~Q(state="met") & Q(met_at__isnull=True)),
                name="arrivals_met_at",
            ),
        ]
        indexes = [
            models.Index(fields=["expected_at"], name="arrivals_when"),
            models.Index(fields=["household", "-expected_at"], name="arrivals_household"),
        ]


class Surge(Row):
    """More people than the office can receive as it should: only the short intake is asked, and dates are a wish."""

    personal = {
        "begun_by": Personal("who decided", "case", "account"),
        "ended_by": Personal("who decided", "case", "account"),
    }
    not_personal = "when and why the office works otherwise"

    begun_at = models.DateTimeField()
    begun_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=200, blank=True, default="")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(models.Value(1), condition=Q(ended_at__isnull=True), name="arrivals_surge_once"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=models.F("begun_at")), name="arrivals_surge_dates"
            ),
        ]


class Intake(PersonRow):
    """A file was opened by the short intake: the rest is asked later. `person` is the head."""

    data_class = DataClass.HOUSEHOLD
    personal = {
        "household": Personal("to ask the rest when there is time", "case", "household"),
        "by": Personal("who received them", "case", "household"),
    }
    not_personal = "dates and keys"

    household = models.OneToOneField("cases.Household", on_delete=models.CASCADE, related_name="intake")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    #: the surge in which it was taken
    surge = models.ForeignKey(Surge, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    #: sent once, whatever the network does: the key that the browser chose
    sent_as = models.UUIDField(default=uuid.uuid4, unique=True)
    completed_at = models.DateTimeField(null=True, blank=True)
