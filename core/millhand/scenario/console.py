"""Where the cell's console listens: health, metrics, and the web pages."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from millhand.messages import tr
from millhand.scenario import secrets
from millhand.scenario.parts import InnerPath, Part, refusal
from millhand.scenario.words import shown


class Listen(NamedTuple):
    """An address of this computer to listen on."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only programs on this computer can reach it."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _listen(value: Any) -> Any:
    if isinstance(value, Listen):
        return value
    host, _, port = str(value).rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        if host != "localhost":
            ipaddress.ip_address(host)
        number = int(port) if port.isascii() and port.isdecimal() else -1
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise refusal(
            tr("{value} is no address to listen on.", value=shown(value)),
            expected=tr("an IP address of this computer and a port, such as 127.0.0.1:8080"),
            mend=tr("Write 127.0.0.1:8080, in quotes."),
        )
    return Listen(host, number)


class Tls(Part):
    """Certificate and private key of the console, both PEM."""

    certificate: InnerPath = Field(description="Certificate, with those that it was signed by.")
    private_key: InnerPath = Field(description="Its private key, for its user alone to read.")


class Console(Part):
    """The cell's console: health and metrics over HTTP. Needs millhand[console]."""

    listen: Annotated[
        Any,
        BeforeValidator(_listen),
        WithJsonSchema({"type": "string", "examples": ["127.0.0.1:8080"]}),
    ] = Field(
        default="127.0.0.1:8080",
        validate_default=True,
        description="Address and port; other than loopback only with token and tls. Port 0 takes "
        "a free one.",
    )
    token: str | None = Field(
        default=None,
        description="Who asks must show this token (Authorization: Bearer …); a reference: "
        "file:secrets/console.",
    )
    tls: Tls | None = Field(default=None, description="Encrypt with this certificate.")

    @model_validator(mode="after")
    def _guarded(self) -> Console:
        if self.token is not None and not secrets.is_reference(self.token):
            raise refusal(
                tr("A secret stands in the file itself."),
                expected=tr("a reference: file:secrets/NAME, or env:NAME"),
                at=("token",),
            )
        missing = [name for name in ("token", "tls") if getattr(self, name) is None]
        if self.listen.loopback or not missing:
            return self
        raise refusal(
            tr(
                "Others on the network could reach {address}, without {missing}.",
                address=self.listen,
                missing=tr(" and ").join(missing),
            ),
            expected=tr("127.0.0.1:PORT; or token and tls beside a wider address"),
            mend=tr("Listen on 127.0.0.1, or add token and tls."),
            at=("listen",),
        )
