"""Lists and their rows are their holder's, by the database's own lock: they are people's data before there are files.

What is about a person who has a file (arrivals, intakes, ends of papers) is a `PersonRow`, locked by `cases.policies`.
"""

from collections.abc import Iterator

from parvis.arrivals.models import Manifest, ManifestRow, MappingProfile
from parvis.cases.policies import GRANTED, lock
from parvis.kit.policies import Place

MINE = f"holder_id = ANY ({GRANTED}) AND holder_id <> (SELECT access_user())"
#: a row is read anew while nothing has come of it
UNUSED = f"{MINE} AND outcome = ''"


def statements(place: Place) -> Iterator[str]:
    rules = dict.fromkeys(("SELECT", "INSERT", "UPDATE"), MINE)
    for model in (Manifest, ManifestRow, MappingProfile):
        table = model._meta.db_table
        yield from lock(table, rules | ({"DELETE": UNUSED} if model is ManifestRow else {}), place)
        yield f"REVOKE ALL ON {table} FROM $public$"
        if model is not ManifestRow:
            yield f"REVOKE DELETE ON {table} FROM $app$"
