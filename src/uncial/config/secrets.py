"""Passwords and keys of services must not get into what a run writes: its config, its overrides, its log."""

import os
import re
from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf

from uncial.errors import UserError

NAMES = re.compile(
    r"(^|[_.-])(api_?key|access_?key|passw(or)?d|passphrase|secret|token|credentials?)s?$", re.IGNORECASE
)
"""What keys and environment variables that hold a secret are called."""

IN_ADDRESS = re.compile(r"\w://[^/\s:@]*:[^/\s@]+@")
"""A password in an address: scheme://user:password@host."""

LEAST_LENGTH = 8
"""Values of environment variables that are shorter occur by chance."""

HIDDEN = "[hidden]"


def check_no_secrets(config: DictConfig) -> None:
    """Raise `UserError` for a key that would hold a secret, and for a value that is or contains one."""
    secrets = _list_secrets_of_environment()
    for key, value in _iterate_leaves(OmegaConf.to_container(config, resolve=True), ""):
        if value is not None and NAMES.search(key.rpartition(".")[2]):
            raise UserError(
                f"{key} would be written to the run's files: give it in the environment (W&B: `wandb login` or "
                "WANDB_API_KEY)."
            )
        if not isinstance(value, str):
            continue
        if found := next((name for name, secret in secrets.items() if secret in value), None):
            raise UserError(
                f"{key} holds the value of ${found}, which would be written to the run's files: leave it out."
            )
        if IN_ADDRESS.search(value):
            raise UserError(f"{key} holds a password, which would be written to files: give it in the environment.")


def drop_secrets(text: str) -> str:
    """Text that was typed, with `[hidden]` in the place of every secret: values of environment variables that hold one,
    of keys that are called like one, and passwords in addresses."""
    for secret in _list_secrets_of_environment().values():
        text = text.replace(secret, HIDDEN)
    text = IN_ADDRESS.sub(lambda found: f"{found[0].split('://')[0]}://{HIDDEN}@", text)
    key, equals, _ = text.partition("=")
    return f"{key}={HIDDEN}" if equals and NAMES.search(key.rpartition(".")[2]) else text


def _list_secrets_of_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if NAMES.search(name) and len(value) >= LEAST_LENGTH}


def _iterate_leaves(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _iterate_leaves(value, f"{prefix}{key}.")
    elif isinstance(node, list):
        for value in node:
            yield from _iterate_leaves(value, prefix)
    else:
        yield prefix.removesuffix("."), node
