"""Exit code 0 when this container's gateway answers ``/healthz`` (its worker: ``/``): the image's HEALTHCHECK."""

from __future__ import annotations

import http.client
import os
import sys


def main() -> int:
    port = int(os.environ.get("SORDINO_HEALTH_PORT", "8080"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", os.environ.get("SORDINO_HEALTH_PATH", "/healthz"))
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
