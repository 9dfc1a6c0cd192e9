"""Say in one line whether a port is free: python -m scripts.port 8501. Exit status 0 free, 2 unusable."""

from __future__ import annotations

import socket
import sys


def why_not(port_text: str) -> str:
    """The reason why a server cannot listen on this port of 127.0.0.1, or "" when it can."""
    if not port_text.isascii() or not port_text.isdigit() or not 1 <= int(port_text) <= 65535:
        return f"PORT must be a number from 1 to 65535, got {port_text!r}; for example: make run PORT=8600"
    port = int(port_text)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the server does: a port that a closed connection still lingers on is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return f"Port {port} needs administrator rights; choose one above 1023: make run PORT=8600"
        except OSError:
            return (
                f"Port {port} is in use, perhaps by another MF Explorer (http://localhost:{port}). "
                f"Stop that, or choose another port: make run PORT={port + 1 if port < 65535 else 8600}"
            )
    return ""


if __name__ == "__main__":
    reason = why_not(sys.argv[1] if len(sys.argv) > 1 else "8501")
    if reason:
        print(reason, file=sys.stderr)
        sys.exit(2)
