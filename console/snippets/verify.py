import hashlib
import hmac
import time

TOLERANCE = 5 * 60  # seconds


def is_genuine(headers, body: bytes, secret: str, now=None) -> bool:
    """`headers`: names in small letters. `body`: exactly as it came."""
    try:
        sent = int(headers.get("webhook-timestamp", ""))
    except ValueError:
        return False
    # An old delivery that somebody sends again.
    if abs((time.time() if now is None else now) - sent) > TOLERANCE:
        return False

    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    expected = f"sha256={digest}".encode()
    # Two signatures, separated by a comma, while a secret is replaced.
    given = headers.get("x-feedbackpro-signature", "").encode().split(b",")
    return any([hmac.compare_digest(one.strip(), expected) for one in given])
