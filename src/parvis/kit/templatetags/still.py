"""Parts of a page that are the same for everybody."""

import uuid
from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token, token_kwargs
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

register = template.Library()

#: variants of one block that are kept; more of them are drawn each time
MOST_KEPT = 100


@register.tag
def still(parser: Parser, token: Token) -> "StillNode":
    """{% still household=household.pk open=open %}...{% endstill %}: drawn once for each language, kept by the process.

    The block sees nothing but what is named here: ids (UUID), which are filled in for each page, and switches (True,
    False, None or a short text), of which each combination is kept apart. So nothing about anybody can stay in it.
    """
    bits = token.split_contents()[1:]
    given = token_kwargs(bits, parser)
    if bits:
        raise template.TemplateSyntaxError(f"still takes name=value, not {bits[0]}")
    inside = parser.parse(("endstill",))
    parser.delete_first_token()
    return StillNode(given, inside)


class StillNode(template.Node):
    child_nodelists = ("inside",)

    def __init__(self, given: dict[str, FilterExpression], inside: NodeList) -> None:
        self.given, self.inside = given, inside
        self.kept: dict[Any, SafeString] = {}
        self.marks = {name: uuid.uuid4() for name in given}

    def render(self, context: template.Context) -> SafeString:
        given = {name: value.resolve(context) for name, value in self.given.items()}
        keys = {name: value for name, value in given.items() if isinstance(value, uuid.UUID)}
        switches = {name: value for name, value in given.items() if name not in keys}
        for name, value in switches.items():
            if value is not None and not isinstance(value, bool) and not (isinstance(value, str) and len(value) < 20):
                raise TypeError(f"still: {name} is neither an id nor a switch")
        variant = (get_language(), tuple(switches.items()), tuple(keys))
        text = self.kept.get(variant)
        if text is None:
            text = self.inside.render(context.new(switches | {name: self.marks[name] for name in keys}))
            if len(self.kept) < MOST_KEPT:
                self.kept[variant] = text
        for name, value in keys.items():
            text = text.replace(str(self.marks[name]), str(value))
        return mark_safe(text)  # noqa: S308 - drawn by the template, which escapes; an id needs no escape
