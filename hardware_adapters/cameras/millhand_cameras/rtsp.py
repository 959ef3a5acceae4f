"""What is in the way to a network camera: asked of the camera itself, in RTSP (RFC 2326)."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

from millhand.contracts import ConnectionFault
from millhand.messages import tr

_LONGEST_ANSWER = 65_536
_PORTS = {"rtsp": 554, "rtsps": 322}
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


class Trouble(NamedTuple):
    """Why there are no pictures."""

    fault: ConnectionFault
    detail: str
    mend: str = ""


def diagnose(url: str, user: str, password: str, timeout_s: float) -> Trouble | None:
    """Ask for the stream's description; None where the camera gives it. Blocks."""
    parts = urlsplit(url)
    where = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
    try:
        with socket.create_connection(where, timeout_s) as line:
            if parts.scheme == "rtsps":
                # The camera's certificate is not checked: FFmpeg does not either.
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                line = context.wrap_socket(line)
            status, head = _describe(line, url, 1, "")
            if status == 401 and user:
                proof = _proof(head, url, user, password)
                status, head = _describe(line, url, 2, proof)
    except OSError as error:
        return Trouble(
            ConnectionFault.NETWORK,
            tr("{url}: {error}.", url=url, error=error.strerror or error),
            tr("It is tried again by itself. Check the camera's power, cable and address."),
        )
    return _trouble(url, status, user)


def _trouble(url: str, status: int, user: str) -> Trouble | None:
    if status == 200:
        return None
    if status in (401, 403):
        said = (
            tr("{url} refuses the user {user}.", url=url, user=user)
            if user
            else tr("{url} does not let anybody in without a user name.", url=url)
        )
        return Trouble(ConnectionFault.CREDENTIALS, said, tr("Check user and password."))
    if status == 0:
        return Trouble(
            ConnectionFault.CONFIGURATION,
            tr("{url} does not answer in RTSP.", url=url),
            tr("Check the port; network cameras mostly use 554."),
        )
    return Trouble(
        ConnectionFault.CONFIGURATION,
        tr("{url} has no such stream (RTSP status {status}).", url=url, status=status),
        tr("Look for the stream's path in the camera's manual."),
    )


def _describe(line: socket.socket, url: str, number: int, proof: str) -> tuple[int, str]:
    """Send DESCRIBE and return the status, 0 where the answer is no RTSP, and the head."""
    request = f"DESCRIBE {url} RTSP/1.0\r\nCSeq: {number}\r\nAccept: application/sdp\r\n"
    line.sendall(f"{request}{proof}\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < _LONGEST_ANSWER:
        piece = line.recv(4096)
        if not piece:
            break
        answer += piece
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    match = re.match(r"RTSP/\d\.\d (\d{3})", head)
    return (int(match[1]) if match else 0), head


def _proof(head: str, url: str, user: str, password: str) -> str:
    """Return the Authorization line for what the camera asks: Digest (RFC 2617) or Basic."""
    asked = next(
        (line for line in head.splitlines() if line.lower().startswith("www-authenticate: digest")),
        "",
    )
    if not asked:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        return f"Authorization: Basic {token}\r\n"
    given = dict(_PARAMETER.findall(asked))
    realm, nonce = given.get("realm", ""), given.get("nonce", "")
    secret = _md5(f"{user}:{realm}:{password}")
    response = _md5(f"{secret}:{nonce}:{_md5(f'DESCRIBE:{url}')}")
    return (
        f'Authorization: Digest username="{user}", realm="{realm}", nonce="{nonce}", '
        f'uri="{url}", response="{response}"\r\n'
    )


def _md5(text: str) -> str:
    # The protocol's own choice.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
