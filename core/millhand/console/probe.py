"""``python -m millhand.console.probe URL``: exit code 0 where the console answers with success.

For containers and watchdogs on machines without curl. Asks this computer only.
"""

from __future__ import annotations

import http.client
import sys
from urllib.parse import urlsplit

_TIMEOUT_S = 3.0
_DEFAULT = "http://127.0.0.1:8080/livez"
_HERE = ("127.0.0.1", "localhost", "::1")


def main(arguments: list[str]) -> int:
    """Ask once; say on standard error what was wrong."""
    url = urlsplit(arguments[0] if arguments else _DEFAULT)
    if url.scheme != "http" or url.hostname not in _HERE:
        sys.stderr.write("give an http:// address of this computer\n")
        return 2
    connection = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", url.path or "/livez")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        connection.close()
    if status != http.client.OK:
        sys.stderr.write(f"HTTP {status}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
