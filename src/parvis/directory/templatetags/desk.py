"""What the desk's templates need beside the kit."""

from typing import Any

from django import template
from django.forms import BaseForm
from django.utils.formats import get_format

register = template.Library()


@register.inclusion_tag("kit/error_summary.html")
def all_errors(page: Any) -> dict[str, Any]:
    """The summary of everything wrong in a page of forms (an Editor or a ScheduleForm) that was judged."""
    problems: list[dict[str, str]] = []
    for form in page.forms:
        if isinstance(form, BaseForm) and form.is_bound:
            problems += [{"text": str(text), "target": "", "label": ""} for text in form.non_field_errors()]
            for bound in form:
                target = bound.id_for_label or bound.auto_id
                problems += [{"text": str(text), "target": target, "label": str(bound.label)} for text in bound.errors]
    return {"problems": problems}


@register.simple_tag
def decimal_sign() -> str:
    """The sign before the decimals of a number in this language, as the fields want it."""
    return str(get_format("DECIMAL_SEPARATOR"))


@register.simple_tag
def press(act: str, number: int) -> str:
    """The value of a button that changes one part of the schedule's form: "more:0"."""
    return f"{act}:{number}"
