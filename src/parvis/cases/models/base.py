"""What every table about a person declares: whose data a row is, and of which class."""

import uuid
from typing import ClassVar

from django.db import models

from parvis.core.access import DataClass
from parvis.kit.models import Row

#: the grantee that stands for the integration office itself; organizations stand for themselves
OFFICE = uuid.UUID(int=1)


#: stands where a name or a word was that was erased
FORGOTTEN = "—"


class PersonRow(Row):
    """A row about one person. `data_class` is its class, or None when each row carries its own in a column.

    `append_only`: rows are added and never changed, by the app role's grants and by a trigger. `forgotten`: what takes
    the place of somebody's words in such a row when the person is erased (column -> text).
    """

    data_class: ClassVar[DataClass | None]
    append_only: ClassVar[bool] = False
    forgotten: ClassVar[dict[str, str]] = {}

    person = models.ForeignKey("cases.Person", on_delete=models.CASCADE, related_name="%(class)ss")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
