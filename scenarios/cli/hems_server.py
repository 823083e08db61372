"""The server of a language model from two options."""

from __future__ import annotations

from pydantic import ValidationError

from federates.hems.chat.settings import ServerSettings
from gradmap.errors import ScenarioError


def server_settings(
    url: str | None, model: str | None, *, options: tuple[str, str]
) -> ServerSettings | None:
    """Return a server's settings, or None if neither option is given.

    Args:
        url: Address.
        model: Name.
        options: What the two are called, for messages.

    Raises:
        ScenarioError: Only one of both, or not an address.
    """
    if url is None and model is None:
        return None
    if url is None or model is None:
        given, missing = options if model is None else reversed(options)
        raise ScenarioError(f"Option {given} needs {missing}, too.")
    try:
        return ServerSettings.model_validate({"base_url": url, "model": model})
    except ValidationError as exc:
        fault = exc.errors(include_url=False, include_input=False)[0]
        named = options[0] if fault["loc"] == ("base_url",) else options[1]
        raise ScenarioError(f"Option {named}: {fault['msg']}.") from exc
