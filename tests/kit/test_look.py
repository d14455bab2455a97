"""The stylesheet measured: contrast of every pair in both schemes, weight, directions, and what the sprite holds."""

import gzip
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "src/parvis/kit/static/kit"
CSS = (STATIC / "kit.css").read_text()
SOURCES = sorted((Path(__file__).parents[2] / "src/parvis").rglob("static/**/*.css"))


def _schemes() -> dict[str, dict[str, str]]:
    """Scheme -> token -> colour, as the stylesheet says them. The dark one is said twice: by device and by choice."""
    blocks = {
        "light": re.search(r":root \{\s*color-scheme: light;(.*?)\n  \}", CSS, re.S),
        "dark by device": re.search(r':root:not\(\[data-scheme="light"\]\) \{(.*?)\n    \}', CSS, re.S),
        "dark by choice": re.search(r':root\[data-scheme="dark"\] \{(.*?)\n  \}', CSS, re.S),
    }
    return {
        name: dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", block[1])) for name, block in blocks.items() if block
    }


SCHEMES = _schemes()


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted([_luminance(one), _luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_measured_as_wcag_says():
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


TEXT = [
    *[(ink, ground) for ink in ("ink", "ink-soft") for ground in ("paper", "surface", "sunken")],
    *[("ink", f"{tone}-tint") for tone in ("lamp", "good", "warn", "bad", "info")],
    *[(tone, f"{tone}-tint") for tone in ("good", "warn", "bad", "info")],
    *[(tone, "surface") for tone in ("good", "warn", "bad", "info", "brand", "brand-strong")],
    *[("brand", ground) for ground in ("paper", "sunken")],
    ("ink-soft", "lamp-tint"), ("bad", "paper"), ("on-brand", "brand"), ("on-brand", "brand-strong"),
    ("on-brand-tint", "brand-tint"), ("on-lamp", "lamp"), ("on-dusk", "dusk"), ("on-dusk-soft", "dusk"),
]  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_words_stand_out_4_5_to_1(scheme: str, ink: str, ground: str):
    tokens = SCHEMES[scheme]
    assert _contrast(tokens[ink], tokens[ground]) >= 4.5, f"{ink} on {ground}, {scheme}"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("ground", ["paper", "surface", "sunken"])
@pytest.mark.parametrize("edge", ["line-strong", "brand", "focus"])
def test_edges_of_controls_stand_out_3_to_1(scheme: str, ground: str, edge: str):
    tokens = SCHEMES[scheme]
    assert _contrast(tokens[edge], tokens[ground]) >= 3


def test_dark_is_the_same_by_device_and_by_choice():
    assert set(SCHEMES) == {"light", "dark by device", "dark by choice"}
    assert SCHEMES["dark by device"] == SCHEMES["dark by choice"]
    assert set(SCHEMES["light"]) == set(SCHEMES["dark by choice"])


def test_the_stylesheet_is_light():
    assert len(gzip.compress(CSS.encode(), 9)) <= 12_000


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_logical_directions_only(path: Path):
    css = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    physical = re.findall(
        r"(?<![\w-])(?:margin|padding|border)-(?:left|right|top|bottom)\b"
        r"|(?<![\w-])(?:left|right|top|bottom)\s*:|text-align:\s*(?:left|right)|float:\s*(?:left|right)"
        r"|(?<![\w-])(?:min-|max-)?(?:width|height)\s*:(?![^{]*\)\s*\{)",
        css,
    )
    assert physical == []


def test_every_icon_that_a_template_names_is_drawn():
    drawn = set(re.findall(r'<symbol id="([a-z]+)"', (STATIC / "icons.svg").read_text()))
    named = set()
    for template in (Path(__file__).parents[2] / "src/parvis").rglob("templates/**/*.html"):
        text = template.read_text()
        named |= set(re.findall(r'\{% icon "([a-z]+)"', text)) | set(re.findall(r'icon="([a-z]+)"', text))
    assert named - drawn == set()
    assert len(drawn) > 40
