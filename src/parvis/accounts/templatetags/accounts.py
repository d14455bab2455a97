"""What the pages about accounts need beside the kit."""

import json

from django import template
from django.core.serializers.json import DjangoJSONEncoder

register = template.Library()


@register.filter
def as_json(value: object) -> str:
    """JSON for a data attribute (the template escapes it): the pages have no inline script, not even of data."""
    return json.dumps(value, cls=DjangoJSONEncoder)
