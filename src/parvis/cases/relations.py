"""How people of a household are related once another of them is its head: a guess that a person may correct."""

from parvis.cases.models.people import Relation as R

#: what the former head is to a new head who was this to them
_BACK = {
    R.SPOUSE: R.SPOUSE,
    R.CHILD: R.PARENT,
    R.WARD: R.RELATIVE,
    R.PARENT: R.CHILD,
    R.SIBLING: R.SIBLING,
    R.GRANDPARENT: R.GRANDCHILD,
    R.GRANDCHILD: R.GRANDPARENT,
    R.RELATIVE: R.RELATIVE,
}
#: what somebody is to the new head: by what the new head was, and what they were, to the former one
_ACROSS = {
    (R.SPOUSE, R.CHILD): R.CHILD,
    (R.SPOUSE, R.WARD): R.WARD,
    (R.SPOUSE, R.GRANDCHILD): R.GRANDCHILD,
    (R.CHILD, R.SPOUSE): R.PARENT,
    (R.CHILD, R.CHILD): R.SIBLING,
    (R.CHILD, R.PARENT): R.GRANDPARENT,
    (R.PARENT, R.PARENT): R.SPOUSE,
    (R.PARENT, R.SIBLING): R.CHILD,
    (R.PARENT, R.CHILD): R.GRANDCHILD,
    (R.SIBLING, R.SIBLING): R.SIBLING,
    (R.SIBLING, R.PARENT): R.PARENT,
    (R.SIBLING, R.GRANDPARENT): R.GRANDPARENT,
}


def seen_from(new_head: str, other: str) -> str:
    """The relation to a new head (who was `new_head` to the former one) of somebody who was `other` to the former."""
    if other == R.HEAD:
        return _BACK.get(R(new_head), R.OTHER)
    if R.OTHER in (new_head, other):
        return R.OTHER
    return _ACROSS.get((R(new_head), R(other)), R.RELATIVE)
