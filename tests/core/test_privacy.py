"""Small cells: none is shown, and none can be computed from its neighbours."""

from hypothesis import example, given
from hypothesis import strategies as st

from parvis.core.privacy import MINIMUM, hide, share, shown, small

GROUPS = st.dictionaries(st.integers(0, 60), st.integers(0, 40), max_size=9)


@given(GROUPS)
@example({0: 1, 1: 30, 2: 30})
@example({0: 1, 1: 1, 2: 30})
@example({0: 4})
def test_no_small_cell_is_shown_and_none_follows_from_the_sum(group: dict[int, int]) -> None:
    found = hide(group)
    assert not any(small(count) for count in found.values())
    hidden = {key: group[key] for key, count in found.items() if count is None}
    assert all(found[key] == group[key] for key in group if key not in hidden)
    if hidden and len([count for count in group.values() if count]) > 1:
        # who knows the sum knows what the hidden ones hold together: not one cell, and not less than the minimum
        assert len(hidden) >= 2
        assert sum(hidden.values()) >= MINIMUM or all(group[key] == 0 for key in group if key not in hidden)
    assert all(group[key] != 0 for key in hidden)
    assert hide(found) == found


def test_the_control_hiding_small_cells_alone_gives_one_away() -> None:
    week = {"mon": 2, "tue": 9, "wed": 14}
    alone = {day: shown(count) for day, count in week.items()}
    assert sum(week.values()) - sum(count or 0 for count in alone.values()) == 2  # computed: that is Monday
    assert hide(week) == {"mon": None, "tue": None, "wed": 14}


def test_nothing_is_nobody_and_five_are_shown() -> None:
    assert [shown(count) for count in (0, 1, 4, 5, None)] == [0, None, None, 5, None]
    assert hide({"a": 0, "b": 0}) == {"a": 0, "b": 0}


def test_a_share_never_tells_a_small_part() -> None:
    assert share(95, 5) == 95 and share(10, 0) == 100
    assert share(96, 4) is None and share(2, 0) is None and share(None, 10) is None and share(0, 0) is None
