"""The components of Parvis as template tags. The gallery at /kit/ shows each with its states."""

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.forms import BaseForm, BoundField
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from parvis.core import language
from parvis.kit import dates, navigation

register = template.Library()

#: Icons that point along the reading direction: mirrored when it is from right to left.
TURNING = frozenset({"forward", "back", "undo", "history", "out", "list", "speech", "share"})


@register.filter
def short_day(day: dt.date | dt.datetime | None) -> str:
    """Day and month in few letters. An instant is of the city's day."""
    return dates.short_day(timezone.localtime(day) if isinstance(day, dt.datetime) else day)


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """One icon of the sprite. Hidden from screen readers unless `label` says what it means. `size`: "" or "l"."""
    return _icon(name, size, str(label), staticfiles_storage.url("kit/icons.svg"))


@lru_cache(maxsize=1000)  # a page holds dozens
def _icon(name: str, size: str, label: str, sprite: str) -> SafeString:
    classes = "icon" + (f" icon-{size}" if size else "") + (" icon-turns" if name in TURNING else "")
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}#{}"/></svg>',
            classes,
            label,
            sprite,
            name,
        )
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, sprite, name)


# -- the page around the page -------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def links(context: template.Context, place: navigation.Place) -> list[dict[str, object]]:
    """The links registered for a place of the page ("header", "user", "footer") that this reader may see."""
    request = context.get("request")
    return navigation.links(place, request) if request is not None else []


@register.simple_tag(takes_context=True)
def bands(context: template.Context) -> list[str]:
    """Templates that apps show under the header of every page, for this reader."""
    request = context.get("request")
    return navigation.bands(request) if request is not None else []


# -- small things -------------------------------------------------------------------------------------------------


@register.inclusion_tag("kit/button.html")
def button(
    text: str,
    *,
    kind: str = "",
    icon: str = "",
    href: str = "",
    type: str = "submit",
    name: str = "",
    value: str = "",
    small: bool = False,
    disabled: bool = False,
) -> dict[str, Any]:
    """A button, or with `href` a link that looks like one. `kind`: "" (second), main, plain, danger."""
    return locals()


@register.inclusion_tag("kit/badge.html")
def badge(text: str, *, tone: str = "", icon: str = "") -> dict[str, Any]:
    """A short fact. `tone`: "" (neutral), good, warn, bad, info, brand. The words carry the meaning, not the colour."""
    return locals()


@register.inclusion_tag("kit/stat.html")
def stat(label: str, value: object, note: str = "") -> dict[str, Any]:
    """One figure with what it counts. Several go together in `<dl class="grid grid-s">`."""
    return locals()


@register.inclusion_tag("kit/progress.html")
def progress(label: str, value: float, maximum: float = 100, note: str = "") -> dict[str, Any]:
    """How far something is: `value` of `maximum`."""
    return {
        "label": label,
        "value": value,
        "maximum": maximum,
        "note": note,
        "id": f"progress-{slugify(label, allow_unicode=True)}",
    }


# -- forms --------------------------------------------------------------------------------------------------------


@register.inclusion_tag("kit/field.html")
def field(bound: BoundField, *, label: str = "", help: str = "", hide_label: bool = False) -> dict[str, Any]:
    """A form field: label, help, error, control, tied together. Groups of choices become a fieldset."""
    kind = getattr(bound.field.widget, "input_type", "")
    return {
        "field": bound,
        "label": label or bound.label,
        "help": help or bound.help_text,
        "hide_label": hide_label,
        "group": bound.use_fieldset,
        "single_choice": kind == "checkbox" and not bound.use_fieldset,
        "hidden": bound.is_hidden,
    }


@register.inclusion_tag("kit/error_summary.html")
def error_summary(*forms: BaseForm) -> dict[str, Any]:
    """What is wrong in these forms, each line leading to its field. Nothing when all is well. Answer with 422."""
    problems: list[dict[str, str]] = []
    for form in forms:
        if form is None or not form.is_bound:
            continue
        problems += [{"text": str(text), "target": "", "label": ""} for text in form.non_field_errors()]
        for bound in form:
            target = bound.id_for_label or bound.auto_id
            problems += [{"text": str(text), "target": target, "label": str(bound.label)} for text in bound.errors]
    return {"problems": problems}


@register.simple_block_tag
def fieldset(content: str, legend: str, help: str = "") -> SafeString:
    """A group of fields under one name."""
    return _render("kit/fieldset.html", content=content, legend=legend, help=help)


# -- blocks -------------------------------------------------------------------------------------------------------


def _render(name: str, **context: object) -> SafeString:
    return mark_safe(render_to_string(name, context))  # noqa: S308 - the template escapes what is not a block


@register.simple_block_tag
def card(
    content: str, title: str = "", *, href: str = "", level: int = 2, icon: str = "", tone: str = ""
) -> SafeString:
    """A box with a title. With `href` the whole box follows the link of its title. `tone`: "", sunken, lamp."""
    return _render("kit/card.html", content=content, title=title, href=href, heading=f"h{level}", icon=icon, tone=tone)


@register.simple_block_tag
def alert(content: str, title: str = "", *, tone: str = "info", role: str = "") -> SafeString:
    """A message in the page. `tone`: info, good, warn, bad. `role="status"` or "alert" when it appears by itself."""
    icons = {"info": "info", "good": "check", "warn": "warning", "bad": "warning"}
    return _render("kit/alert.html", content=content, title=title, tone=tone, role=role, icon=icons[tone])


@register.simple_block_tag
def empty(content: str, title: str, *, icon: str = "search", level: int = 2) -> SafeString:
    """Nothing to show, and what to do about it (the content)."""
    return _render("kit/empty.html", content=content, title=title, icon=icon, heading=f"h{level}")


@register.simple_block_tag
def fold(content: str, summary: str, *, icon: str = "", open: bool = False, id: str = "") -> SafeString:
    """Something that may stay folded (details and summary)."""
    return _render("kit/fold.html", content=content, summary=summary, icon=icon, open=open, id=id)


@register.simple_block_tag
def dialog(content: str, id: str, title: str) -> SafeString:
    """A dialog that any `<button data-opens="id">` opens. Its content must be reachable without JavaScript too."""
    return _render("kit/dialog.html", content=content, id=id, title=title)


@register.simple_block_tag
def sidebyside(content: str) -> SafeString:
    """Two panes beside each other on a wide screen: `<div class="pane pane-source">` and `<div class="pane">`."""
    return format_html('<div class="side-by-side">{}</div>', mark_safe(content))  # noqa: S308 - rendered template


# -- sequences ----------------------------------------------------------------------------------------------------


@register.inclusion_tag("kit/tabs.html")
def tabs(items: Iterable[dict[str, Any]], label: str) -> dict[str, Any]:
    """Links between views of one thing: each item has text, url, current and perhaps icon and count."""
    return {"items": items, "label": label}


@register.inclusion_tag("kit/breadcrumbs.html")
def breadcrumbs(*trail: object) -> dict[str, Any]:
    """Where the page stands: text, url, text, url..., and last the text of the page itself."""
    pairs = [(trail[i], trail[i + 1] if i + 1 < len(trail) else "") for i in range(0, len(trail), 2)]
    return {"trail": pairs}


@register.inclusion_tag("kit/pagination.html", takes_context=True)
def pagination(context: template.Context, number: int, total: int, *, name: str = "page") -> dict[str, Any]:
    """Links to the other pages of a list, keeping the rest of the query. Nothing when there is one page."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()

    def link(page: int) -> str:
        query[name] = str(page)
        return "?" + query.urlencode()

    near = sorted({1, *range(max(1, number - 1), min(total, number + 1) + 1), total})
    pages: list[dict[str, Any]] = []
    for page in near:
        if pages and page - pages[-1]["number"] > 1:
            pages.append({"number": page, "gap": True})
        pages.append({"number": page, "url": link(page), "current": page == number})
    return {
        "pages": pages,
        "total": total,
        "before": link(number - 1) if number > 1 else "",
        "after": link(number + 1) if number < total else "",
    }


@register.inclusion_tag("kit/table.html")
def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str = "") -> dict[str, Any]:
    """A table that becomes a list of cards on a phone. The first cell of each row is its heading."""
    return {"headings": headings, "rows": [list(zip(headings, row, strict=False)) for row in rows], "caption": caption}


@register.inclusion_tag("kit/timeline.html")
def timeline(items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What happened, newest first: each item has at (datetime), title and perhaps text, by, url, now."""
    return {"items": items}


@register.inclusion_tag("kit/steps.html")
def steps(current: int, *names: str) -> dict[str, Any]:
    """The steps of a longer task; `current` counts from 1."""
    return {"steps": [(name, place < current, place == current) for place, name in enumerate(names, 1)]}


# -- filters ------------------------------------------------------------------------------------------------------


@register.filter
def listed(values: Iterable[object]) -> SafeString:
    """Some words in a row, with this language's comma; each keeps its own direction."""
    return format_html_join(pgettext("between the words of a list", ", "), "<bdi>{}</bdi>", ((one,) for one in values))


@register.filter
def colon(words: Any) -> SafeString:
    """Words that announce something, with a colon as this language sets it (French has a space before).

    A question needs none: its own mark announces.
    """
    if str(words).endswith(("?", "؟")):
        return conditional_escape(words)
    return mark_safe(_("%(words)s:") % {"words": conditional_escape(words)})  # noqa: S308 - the words are escaped


@register.filter
def own_name(tag: str) -> str:
    """A language's own name for itself, from its BCP 47 tag; "" for none."""
    return language.own_name(tag) if tag else ""


@register.filter
def ago(moment: dt.datetime | dt.date | None) -> str:
    """How long ago, in whole days, months or years: "today", "yesterday", "12 days ago"."""
    if moment is None:
        return ""
    day = timezone.localtime(moment).date() if isinstance(moment, dt.datetime) else moment
    days = (timezone.localdate() - day).days
    if days <= 0:
        return _("today")
    if days == 1:
        return _("yesterday")
    if days < 60:
        return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}
    if days < 730:
        months = days // 30
        return ngettext("%(count)d month ago", "%(count)d months ago", months) % {"count": months}
    years = days // 365
    return ngettext("%(count)d year ago", "%(count)d years ago", years) % {"count": years}
