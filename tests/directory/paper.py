"""Forms as a browser without JavaScript sends them: read out of the page, changed by name, posted back."""

from html.parser import HTMLParser
from typing import Any


class Forms(HTMLParser):
    """Every POST form of a page: {field: value} of what a browser would send, buttons apart."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.labels: set[str] = set()
        self.controls: list[str] = []
        self._form: dict[str, Any] | None = None
        self._select = ""
        self._area = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value if value is not None else "" for name, value in attrs}
        if tag == "form":
            self._form = {} if given.get("method") == "post" else None
            if self._form is not None:
                self.forms.append(self._form)
        if tag == "label" and given.get("for"):
            self.labels.add(given["for"])
        if self._form is None or (not given.get("name") and tag != "option"):
            return
        kind = given.get("type", "text")
        if tag in ("input", "select", "textarea") and kind not in ("hidden",):
            self.controls.append(given.get("id", ""))
        if tag == "input" and kind in ("checkbox", "radio"):
            if "checked" in given:
                self._form[given["name"]] = given.get("value", "on")
        elif tag == "input":
            self._form[given["name"]] = given.get("value", "")
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and self._select:
            if "selected" in given or self._select not in self._form:
                self._form[self._select] = given.get("value", "")
        elif tag == "textarea":
            self._area = given["name"]
            self._form[self._area] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form[self._area] += data.removeprefix("\n")


def form(response: Any, having: str = "base") -> dict[str, Any]:
    """The form of a page that has this field."""
    return next(one for one in Forms(response.content.decode()).forms if having in one)
