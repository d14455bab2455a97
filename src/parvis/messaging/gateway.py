"""Text messages leave through a gateway that speaks HTTP. The only door to httpx.

The shape is the one most gateways and their imitations speak: a form posted to `Accounts/ACCOUNT/Messages.json` with
basic authentication, an answer in JSON with the message's `sid`, reports posted back to an address of ours, each
signed. SMS_URL names it: `https://ACCOUNT:TOKEN@gateway.example.org/2010-04-01?from=%2B15145550100`. The password must
be percent-encoded. Without SMS_URL messages become files under PARVIS_HOME/sms.
"""

import base64
import datetime as dt
import hashlib
import hmac
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
from django.conf import settings

from parvis.kit.outbox import Handing, InDoubt, NotTaken, Refused

#: seconds: to connect, and to be answered
TIMEOUT = httpx.Timeout(10, read=20)
#: what the gateway calls an end that is none of our wishes
LOST = ("failed", "undelivered", "canceled")


@dataclass(frozen=True)
class Text:
    """One text message. `key`: ours, told to the gateway in the address of its reports. `known(names)`: those of the
    gateway's names that our books have for another message."""

    to: str
    text: str
    key: uuid.UUID
    reports: str
    handed_at: dt.datetime | None = None
    known: Callable[[list[str]], set[str]] = lambda names: set()


class Gateway(Protocol):
    def send(self, text: Text, handing: Handing) -> str:
        """Hand one over; returns what the gateway calls it. Raises NotTaken, Refused, InDoubt."""

    def find(self, text: Text) -> str | None:
        """What the gateway calls it, or None when it does not have it. Raises NotTaken, InDoubt."""


def gateway() -> Gateway:
    """The gateway that this installation is told of."""
    return HttpGateway(settings.SMS_URL) if settings.SMS_URL else Folder(Path(settings.HOME) / "sms")


class Folder:
    """No gateway: a file for each message, to be looked at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, text: Text, handing: Handing) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        handing()
        (self.folder / f"{text.key}.txt").write_text(f"{text.to}\n\n{text.text}\n", encoding="utf-8")
        return f"file-{text.key}"

    def find(self, text: Text) -> str | None:
        return f"file-{text.key}" if (self.folder / f"{text.key}.txt").is_file() else None


class HttpGateway:
    def __init__(self, url: str) -> None:
        said = urlsplit(url)
        self.account, self.token = unquote(said.username or ""), unquote(said.password or "")
        self.sender = parse_qs(said.query).get("from", [""])[0]
        host = said.hostname or ""
        place = f"[{host}]" if ":" in host else host
        port = f":{said.port}" if said.port else ""
        self.address = f"{said.scheme}://{place}{port}{said.path.rstrip('/')}/Accounts/{self.account}/Messages.json"

    def send(self, text: Text, handing: Handing) -> str:
        form = {"To": text.to, "From": self.sender, "Body": text.text, "StatusCallback": text.reports}
        handing()
        try:
            answer = self._ask("POST", data=form)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise NotTaken(_words(error)) from error
        except httpx.HTTPError as error:
            raise InDoubt(_words(error)) from error
        _judge(answer)
        said = _read(answer)
        if not said.get("sid"):
            raise InDoubt(f"{answer.status_code} without a name for the message")
        if said.get("status") in LOST:
            raise Refused(f"{said['status']} {said.get('error_code') or ''}".strip(), code=str(said.get("error_code")))
        return str(said["sid"])

    def find(self, text: Text) -> str | None:
        """The gateway is asked what it sent to this number since that day; a text of ours that our books give to no
        other message is this one."""
        day = (text.handed_at or dt.datetime.now(dt.UTC)) - dt.timedelta(days=1)
        asked = {"To": text.to, "From": self.sender, "DateSent>": f"{day:%Y-%m-%d}", "PageSize": "200"}
        try:
            answer = self._ask("GET", params=asked)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotTaken(_words(error)) from error
        if answer.status_code != 200:
            raise NotTaken(f"{answer.status_code}", after=_after(answer))
        said = _read(answer)
        if not isinstance(said.get("messages"), list):
            raise InDoubt("the gateway has no list of what it sent")
        sent = [one for one in said["messages"] if one.get("body") == text.text and one.get("to", text.to) == text.to]
        names = [str(one["sid"]) for one in sent if one.get("sid")]
        known = text.known(names) if names else set()
        ours = [name for name in names if name not in known]
        if not ours and said.get("next_page_uri"):
            raise InDoubt("the gateway's list goes on")
        return ours[-1] if ours else None  # the newest come first: the oldest is the one that died

    def _ask(self, method: str, **more: Any) -> httpx.Response:
        with httpx.Client(timeout=TIMEOUT, auth=(self.account, self.token)) as client:
            return client.request(method, self.address, **more)


def _judge(answer: httpx.Response) -> None:
    """Raises for every answer but "taken"."""
    code = answer.status_code
    if 200 <= code < 300:
        return
    words = f"{code} {_read(answer).get('message', '')}".strip()
    if code == 429:
        raise NotTaken(words, after=_after(answer))
    if code >= 500:  # it may have been taken before it fell
        raise InDoubt(words)
    if code in (401, 403, 404, 405, 407) or code < 400:  # our account, our address: no message is to blame
        raise NotTaken(words)
    raise Refused(words, code=str(_read(answer).get("code", code)))


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _after(answer: httpx.Response) -> dt.timedelta | None:
    """How long the gateway asks us to wait: at most an hour is believed."""
    text = answer.headers.get("Retry-After", "")
    return dt.timedelta(seconds=min(int(text), 3600)) if text.isdigit() and int(text) else None


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


# -- what the gateway tells us -----------------------------------------------------------------------------------------


def signature(address: str, form: Mapping[str, str], token: str) -> str:
    """What the gateway writes beside a report: a keyed hash of the address and of all that is posted, in order."""
    said = address + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()).decode()


def is_genuine(address: str, form: Mapping[str, str], signed: str) -> bool:
    """Does a report come from our gateway? Never without a gateway."""
    if not settings.SMS_URL:
        return False
    token = HttpGateway(settings.SMS_URL).token
    return bool(token) and hmac.compare_digest(signature(address, form, token).encode(), signed.encode())
