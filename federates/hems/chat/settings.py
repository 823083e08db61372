"""Where a language model is served and how patiently it is asked."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

KEY_VARIABLE: Final = "GRADMAP_LLM_API_KEY"


class ServerSettings(BaseModel):
    """One OpenAI-compatible server: Ollama, vLLM, llama.cpp, LM Studio or a hosted service.

    The key is not a setting: it stands in an environment variable and is read for each connection.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    base_url: str = Field(
        max_length=2000, description="For example http://localhost:11434/v1 for Ollama."
    )
    model: str = Field(min_length=1, max_length=200, description="Name as the server knows it.")
    key_variable: str = Field(
        KEY_VARIABLE,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$",
        description="Environment variable with the key; unset where the server needs none.",
    )
    temperature: float | None = Field(
        0.0, ge=0, le=2, description="None: not sent, for models that refuse it."
    )
    max_answer_tokens: int = Field(1024, ge=16, le=32_768, description="Longest answer. [tokens]")
    tokens_field: str = Field(
        "max_tokens",
        pattern=r"^max_(completion_)?tokens$",
        description="How the server calls that limit: max_tokens or max_completion_tokens.",
    )
    max_answer_bytes: int = Field(
        1_000_000, ge=1_000, le=50_000_000, description="Longer HTTP answers are cut off. [bytes]"
    )
    timeout_s: float = Field(60.0, gt=0, le=3600, description="For one request. [s]")
    retries: int = Field(
        3, ge=0, le=10, description="Repeats after 408, 409, 429, 5xx, timeouts, lost connections."
    )
    first_wait_s: float = Field(
        0.5, ge=0, le=60, description="Before the first repeat; doubles each time. [s]"
    )
    longest_wait_s: float = Field(
        30.0, ge=0, le=600, description="A server that asks for more (Retry-After) is given up. [s]"
    )

    @field_validator("base_url")
    @classmethod
    def _holds_no_secret(cls, base_url: str) -> str:
        """Refuse what is not a plain address; names and keys inside would end up in messages."""
        try:
            parts = urlsplit(base_url)
            plain = parts.scheme in ("http", "https") and bool(parts.hostname)
            plain = plain and (parts.port is None or parts.port > 0)
        except ValueError:
            plain = False
        if not plain or not base_url.isprintable() or " " in base_url:
            raise ValueError("expected an address such as http://localhost:11434/v1")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError(
                "expected an address without user, ? and #; the key belongs into the environment"
            )
        return base_url.rstrip("/")
