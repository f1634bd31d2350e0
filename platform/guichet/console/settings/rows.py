"""The buttons of a table that is a form: a row moves up or down, goes, or comes.

They are buttons of the form itself, so whatever else was typed is sent with them and is kept.
"""

import re

from guichet.web.forms import Form

#: What the buttons are called; their value is what to do and with which row, such as `up:3`.
BUTTON = "row"


def arrange(form: Form, path: str, first_field: str) -> Form:
    """The form with its rows as the pressed button wants them, counted anew; else as it is.

    The rows are those of the table at `path`, such as `plans`; a row that is added has
    `first_field` filled with what stands behind `add:`.
    """
    pressed = form.get(BUTTON, "")
    others, rows = _take_apart(form, path)
    act, _, what = pressed.partition(":")
    if act == "add":
        rows.append({first_field: what})
    elif what.isdecimal() and int(what) < len(rows):
        _move(rows, act, int(what))
    numbered = {
        f"{path}[{place}].{name}": value
        for place, row in enumerate(rows)
        for name, value in row.items()
    }
    return others | numbered


def _take_apart(form: Form, path: str) -> tuple[Form, list[Form]]:
    """The fields outside of the table, and those of each row in the order of their numbers."""
    field = re.compile(rf"{re.escape(path)}\[([0-9]{{1,4}})\]\.(.+)", re.DOTALL)
    others: Form = {}
    rows: dict[int, Form] = {}
    for name, value in form.items():
        found = field.fullmatch(name)
        if found:
            rows.setdefault(int(found[1]), {})[found[2]] = value
        elif name != BUTTON:
            others[name] = value
    return others, [rows[place] for place in sorted(rows)]


def _move(rows: list[Form], act: str, place: int) -> None:
    match act:
        case "remove":
            del rows[place]
        case "up" if place > 0:
            rows[place - 1 : place + 1] = [rows[place], rows[place - 1]]
        case "down" if place < len(rows) - 1:
            rows[place : place + 2] = [rows[place + 1], rows[place]]
