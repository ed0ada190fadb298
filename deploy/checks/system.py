"""Asking processes over HTTP, and waiting for facts."""
import json
import socket
import time
import urllib.error
import urllib.request

# Seconds; on a machine with nothing else to do each wait takes a few.
DEADLINE = 60


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return answer.read().decode()


def ask(port, token, method, path, body=None, headers=None):
    """The answer as JSON, whatever its status."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"} | (headers or {}),
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        return json.loads(error.read() or b"{}")


def until(fact, what):
    """Asks until there is a fact; a process that does not answer yet has none."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        try:
            if found := fact():
                return found
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"not within {DEADLINE} s: {what}")
