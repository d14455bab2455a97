"""Sentences of the public pages: opening hours, distances, texts in more than one language."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import segno
from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import escape, format_html, linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from parvis.core import language as tongues
from parvis.core.hours import State
from parvis.directory.finding import called
from parvis.directory.wording import PhoneType
from parvis.words.queries import Shown

register = template.Library()


@register.simple_tag
def said(text: Shown | str | None) -> SafeString | str:
    """A short text, marked with its language when it is not the page's."""
    if not isinstance(text, Shown):
        return text or ""
    if _same(text.language):
        return text.text
    return format_html('<span lang="{}" dir="{}">{}</span>', text.language, tongues.direction(text.language), text.text)


@register.simple_tag
def said_block(text: Shown | str | None) -> SafeString | str:
    """A longer text in paragraphs, with a mark when a machine made it, when it is older, or not translated."""
    if not text:
        return ""
    if not isinstance(text, Shown):
        return mark_safe(linebreaks(text, autoescape=True))  # noqa: S308 - escaped by linebreaks
    mark = origin(text)
    return format_html(
        '<div lang="{}" dir="{}">{}</div>{}',
        text.language,
        tongues.direction(text.language),
        mark_safe(linebreaks(text.text, autoescape=True)),  # noqa: S308 - escaped by linebreaks
        format_html('<span class="origin">{}</span>', mark) if mark else "",
    )


@register.filter
def origin(text: Any) -> str:
    """What a reader should know about where a text comes from; nothing when a person wrote it in this language."""
    if not isinstance(text, Shown):
        return ""
    if not _same(text.language) and text.assumed:
        return _("Not translated yet")
    if not _same(text.language):
        return _("Only in %(language)s for now") % {"language": tongues.name(text.language, _reader())}
    if text.stale:
        return _("Translation of an earlier text: details may have changed")
    if text.origin == "machine":
        return _("Translated by a machine, not checked yet")
    return ""


@register.filter
def plain(text: Any) -> str:
    """The words of a text, whatever its language."""
    return text.text if isinstance(text, Shown) else str(text or "")


@register.filter
def language_name(code: str) -> str:
    """A language in the reader's words: "ar" -> "arabe"."""
    return called(code, _reader())


@register.filter
def language_names(languages: Iterable[Any]) -> list[str]:
    """Languages in the reader's words; each is a code, or HSDS's own row of name and code."""
    rows = ({"code": one} if isinstance(one, str) else one for one in languages)
    return [language_name(row["code"]) if row.get("code") else plain(row.get("name")) for row in rows]


@register.filter
def phone_kind(code: str) -> str:
    """What a telephone is for, when it is not for talking: "fax", "textphone"."""
    return str(PhoneType(code).label) if code in PhoneType.values else str(code)


@register.filter
def language_own_name(code: str) -> str:
    """A language in its own words: "ar" -> "العربية"."""
    return tongues.own_name(code)


@register.filter
def has_another_name(code: str) -> bool:
    """Whether a language calls itself otherwise than the reader does."""
    return language_own_name(code).casefold() != language_name(code).casefold()


@register.filter
def opening(state: State | None) -> str:
    """What a page says about being open: "Open until 17:00", "Closed, opens tomorrow at 9:00"."""
    if state is None or state.kind == "unknown":
        return _("Hours not known: ask before you go")
    if state.kind == "always":
        return _("Always open")
    if state.kind == "closed":
        return _("Closed for now")
    if state.kind == "open" and state.until is not None:
        return _("Open until %(time)s") % {"time": _clock(state.until)}
    if state.opens is None:
        return _("Closed")
    moment = timezone.localtime(state.opens)
    away = (moment.date() - timezone.localdate()).days
    values = {"time": _clock(moment), "day": date_format(moment, "l"), "date": date_format(moment, "MONTH_DAY_FORMAT")}
    if away == 0:
        return _("Closed, opens today at %(time)s") % values
    if away == 1:
        return _("Closed, opens tomorrow at %(time)s") % values
    if away < 7:
        return _("Closed, opens on %(day)s at %(time)s") % values
    return _("Closed, opens on %(date)s at %(time)s") % values


@register.filter
def clock(moment: dt.time | dt.datetime) -> str:
    """A time of day as this language writes it."""
    return date_format(moment, "TIME_FORMAT")


@register.filter
def distance(metres: float | None) -> str:
    """A distance that a walker understands: "350 m", "2.4 km"."""
    if metres is None:
        return ""
    if metres < 950:
        return _("%(metres)s m") % {"metres": number_format(max(50, round(metres / 50) * 50))}
    return _("%(kilometres)s km") % {"kilometres": number_format(metres / 1000, 1 if metres < 9500 else 0)}


@register.filter
def services_found(count: int) -> str:
    """How many were found, said aloud by screen readers too."""
    return ngettext("%(count)s result", "%(count)s results", count) % {
        "count": number_format(count, force_grouping=True)
    }


@register.filter
def telephone(number: str) -> str:
    """A telephone number as a link wants it: digits and a leading plus."""
    text = str(number)
    return ("+" if text.strip().startswith("+") else "") + "".join(sign for sign in text if sign.isdigit())


@register.filter
def safe_link(address: str) -> str:
    """A web address that may be followed: http and https only; "www.example.org" gets its scheme."""
    text = str(address or "").strip()
    if text.lower().startswith(("http://", "https://")):
        return text
    if ":" in text.split("/")[0] or not text or " " in text or "." not in text:
        return ""
    return "https://" + text


@register.filter
def host(address: str) -> str:
    """The readable part of a web address."""
    return str(address).split("://")[-1].removeprefix("www.").rstrip("/")


@register.simple_tag
def qr(address: str) -> SafeString:
    """A QR code of an address as an inline drawing, dark on white in every scheme so that cameras read it."""
    drawing = segno.make(address, error="m").svg_inline(svgclass="qr", lineclass=None, omitsize=True, border=2)
    name = escape(_("QR code of this page"))
    return mark_safe(drawing.replace("<svg ", f'<svg role="img" aria-label="{name}" ', 1))  # noqa: S308


def _clock(moment: dt.datetime) -> str:
    local = timezone.localtime(moment)
    if local.time() == dt.time(0):
        return _("midnight")
    return date_format(local, "TIME_FORMAT")


def _reader() -> str:
    return get_language() or "fr"


def _same(language: str) -> bool:
    return tongues.parse(language).language == tongues.parse(_reader()).language
