"""A worker service: gets a token, writes a log line and reads the latest lines back.

Two ways to a token: ask the identity service (client credentials), or sign one with the
shared secret (--sign).
"""

import argparse
import os
import time
from typing import Any
from urllib.parse import quote_plus

import jwt
import requests

TIMEOUT_SECONDS = 5


def checked(response: requests.Response) -> requests.Response:
    """Raise with what the service said: unlike raise_for_status, which hides it."""
    if not response.ok:
        message = f"{response.url} answered {response.status_code}: {response.text}"
        raise requests.HTTPError(message, response=response)
    return response


def fetch_token(issuer: str, client_id: str, client_secret: str, audience: str) -> str:
    """Ask the identity service for a token, as a client (RFC 6749 section 4.4)."""
    response = requests.post(
        f"{issuer}/token",
        # Both are form-encoded first (RFC 6749 section 2.3.1).
        auth=(quote_plus(client_id), quote_plus(client_secret)),
        data={"grant_type": "client_credentials", "audience": audience},
        timeout=TIMEOUT_SECONDS,
    )
    token: str = checked(response).json()["access_token"]
    return token


def sign_token(secret: str, issuer: str, sub: str, audience: str) -> str:
    """Make a token without asking anyone, as every service with the secret can."""
    now = int(time.time())
    claims = {"iss": issuer, "sub": sub, "aud": audience, "iat": now, "exp": now + 300}
    return jwt.encode(claims, secret, algorithm="HS256")


def write_line(url: str, token: str, message: str) -> None:
    response = requests.post(
        f"{url}/log",
        headers={"Authorization": f"Bearer {token}"},
        json={
            "service": "python-worker",
            "level": "INFO",
            "message": message,
            "context": {},
        },
        timeout=TIMEOUT_SECONDS,
    )
    checked(response)


def read_lines(url: str, token: str, limit: int = 10) -> list[dict[str, Any]]:
    response = requests.get(
        f"{url}/logs",
        headers={"Authorization": f"Bearer {token}"},
        params={"limit": limit},
        timeout=TIMEOUT_SECONDS,
    )
    lines: list[dict[str, Any]] = checked(response).json()
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description="write a log line and read the latest ones back"
    )
    parser.add_argument("message", nargs="?", default="Hello from Python")
    parser.add_argument(
        "--sign", action="store_true", help="sign the token with JWT_SECRET_KEY"
    )
    arguments = parser.parse_args()

    env = os.environ
    url = env.get("LOGGING_URL", "http://localhost:5001")
    audience = env.get("LOGGING_BACKEND_AUD", "logging-service")
    if arguments.sign:
        # Of a list of secrets the first one signs.
        secret = env["JWT_SECRET_KEY"].split(",")[0]
        token = sign_token(secret, env["JWT_ISSUER"], "python-worker", audience)
    else:
        issuer = env.get("ISSUER", "http://localhost:3000")
        token = fetch_token(issuer, env["CLIENT_ID"], env["CLIENT_SECRET"], audience)

    write_line(url, token, arguments.message)
    for line in read_lines(url, token):
        print(line["created_at"], line["level"], line["service"], line["message"])


if __name__ == "__main__":
    main()
