"""The desk's pages as people use them, without a browser: forms, preview, conflict, history, undo, words."""

from typing import Any

import pytest
from django.test import Client

from tests.directory.story import Story, tell

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def story(city: Any) -> Story:
    return tell()


def test_smoke(story: Story) -> None:
    c = story.client(story.charlie)
    for path in ["", "services/", "services/?show=never", "corrections/", "imports/", "words/", "words/ar/", "new/organization/",
                 f"new/service/{story.house.pk}/", f"new/location/{story.house.pk}/"]:
        r = c.get(f"/fr/desk/{path}")
        assert r.status_code == 200, path
    for kind, obj in [("organization", story.house), ("service", story.course), ("location", story.place), ("service_at_location", story.link)]:
        for page in ["", "edit/", "hours/", "unlist/", "words/ar/"]:
            if (page, kind) in {("hours/", "organization"), ("unlist/", "location"), ("unlist/", "service_at_location"), ("words/ar/", "service_at_location")}:
                continue
            r = c.get(f"/fr/desk/{kind}/{obj.pk}/{page}")
            assert r.status_code == 200, (kind, page)
        assert c.get(f"/fr/desk/history/{kind}/{obj.pk}/").status_code == 200
