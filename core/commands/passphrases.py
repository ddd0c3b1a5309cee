"""`vitrine passphrase`: ask visitors of a server in a room to sign in."""

from __future__ import annotations

import secrets
import sys
from typing import Annotated

import typer

from core import passphrases
from core.commands.console import Json, say
from core.errors import UsageError

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is mistaken for another when it is read from a wall


def passphrase(
    role: Annotated[str, typer.Argument(help="visitor, annotator or owner.")],
    make: Annotated[bool, typer.Option("--make", help="Make one and print it, once.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the role's passphrase away.")] = False,
    as_json: Json = False,
) -> None:
    """Give a role a passphrase: visitors then have to sign in. Without a role left, nobody is asked."""
    if make and remove:
        raise UsageError("Choose --make or --remove.")
    made = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4)) if make else None
    path = passphrases.keep(role, None if remove else made or _asked(role))
    have = passphrases.load()
    roles = list(have.hashes) if have else []
    result = {"file": str(path), "roles": roles, **({"passphrase": made} if made else {})}
    text = (
        f"A sign-in is asked for; these roles have a passphrase: {', '.join(roles)}."
        if roles
        else "No role has a passphrase any more: nobody is asked to sign in."
    )
    if roles and "owner" not in roles:
        text += "\nNo owner can sign in: nobody can add or remove datasets on a page."
    say(result, as_json, f"{made}\n{text}" if made else text)


def _asked(role: str) -> str:
    """From the terminal without an echo, or the first line that is piped in."""
    if sys.stdin.isatty():
        return str(typer.prompt(f"Passphrase of {role}", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline(passphrases.MOST_CHARACTERS * 4).rstrip("\n")
