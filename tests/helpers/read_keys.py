"""Which keys of the config a task reads while it runs: what conf/task says of them is compared with that."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from omegaconf import DictConfig, OmegaConf
from omegaconf.basecontainer import BaseContainer

from uncial import cli as command_line
from uncial.config import schema
from uncial.config.settings import Settings, list_key_rules
from uncial.tasks import auto


class ReadKeys:
    """The dotted keys whose values were taken from the config that a task was given, or from a copy of it.

    A config that is copied, written or checked as a whole is not read by that."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self._quiet = 0
        self._is_on = False

    @contextmanager
    def recorded(self) -> Iterator["ReadKeys"]:
        """Records what the tasks read that are run meanwhile."""
        values, get_attribute = schema._read_values, Settings.__getattribute__
        get_method, get_node = command_line.get_method, DictConfig._get_node
        to_content, create, compose = BaseContainer._to_content, OmegaConf.create, auto.compose

        def recording_method(path: str) -> Callable[[DictConfig], None]:
            task = get_method(path)

            def run(config: DictConfig) -> None:
                self._is_on = True
                try:
                    task(config)
                finally:
                    self._is_on = False

            return run

        def recording_get_node(node: DictConfig, key: Any, *args: Any, **kwargs: Any) -> Any:
            found = get_node(node, key, *args, **kwargs)
            if self._is_on and not self._quiet and not _is_inner(found):
                with self._silence(True):
                    self.keys.add(str(node._get_full_key(key)))
            return found

        def quiet_content(conf: Any, *args: Any, **kwargs: Any) -> Any:
            is_whole = conf._get_parent() is None
            with self._silence(is_whole):
                return to_content(conf, *args, **kwargs)

        def quiet_create(*args: Any, **kwargs: Any) -> Any:
            with self._silence(True):
                return create(*args, **kwargs)

        def quiet_values(*args: Any) -> Any:
            with self._silence(True):
                return values(*args)

        def recording_attribute(settings: Settings, name: str) -> Any:
            found = get_attribute(settings, name)
            if self._is_on and not isinstance(found, Settings) and name in list_key_rules(type(settings)):
                self.keys.add(f"{type(settings).GROUP}.{name}".lstrip("."))
            return found

        def quiet_compose(*args: Any, **kwargs: Any) -> Any:
            with self._silence(True):
                return compose(*args, **kwargs)

        with (
            patch.object(command_line, "get_method", recording_method),
            patch.object(DictConfig, "_get_node", recording_get_node),
            patch.object(BaseContainer, "_to_content", staticmethod(quiet_content)),
            patch.object(OmegaConf, "create", staticmethod(quiet_create)),
            patch.object(auto, "compose", quiet_compose),
            patch.object(schema, "_read_values", quiet_values),
            patch.object(Settings, "__getattribute__", recording_attribute),
        ):
            yield self

    @contextmanager
    def _silence(self, is_silent: bool) -> Iterator[None]:
        self._quiet += is_silent
        try:
            yield
        finally:
            self._quiet -= is_silent


def _is_inner(node: Any) -> bool:
    return isinstance(node, DictConfig) and not node._is_none() and not node._is_missing() and len(node) > 0
