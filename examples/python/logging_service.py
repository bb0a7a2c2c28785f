"""A logging service in Flask: services write log lines with a JWT and read them back.

POST /log, GET /logs and GET /ping behave as in ../logging-backend, the same service in
TypeScript.
"""

import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jwt
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import BadRequest, HTTPException

LEEWAY_SECONDS = 15
MAX_BODY_BYTES = 64 * 1024
ASYMMETRIC_ALGORITHMS = ["ES256", "EdDSA", "RS256", "PS256"]
# The provider's keys sign ID tokens, too: only the type says that a token is meant for
# a resource server. PyJWT writes "JWT" into the tokens that services sign themselves.
PUBLISHED_KEY_TYPES: list[str | None] = ["at+jwt", "application/at+jwt"]
SHARED_SECRET_TYPES = [None, "JWT", *PUBLISHED_KEY_TYPES]
LEVELS = {"TRACE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL"}

SCHEMA = """
CREATE TABLE IF NOT EXISTS logs (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    context TEXT NOT NULL,
    sub TEXT NOT NULL,
    created_at TEXT NOT NULL
)
"""


@dataclass(frozen=True)
class Settings:
    """Whose tokens are accepted: by shared secret, by published key, or by both."""

    audience: str
    # any of them may have signed: that is how the secret is rotated
    secrets: list[str]
    shared_secret_issuer: str
    jwks_uri: str | None
    issuer: str
    database_path: str

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        settings = cls(
            audience=env.get("LOGGING_BACKEND_AUD", "logging-service"),
            secrets=[s for s in env.get("JWT_SECRET_KEY", "").split(",") if s],
            shared_secret_issuer=env.get("JWT_ISSUER", ""),
            jwks_uri=env.get("JWKS_URI"),
            issuer=env.get("ISSUER", ""),
            database_path=env.get("DATABASE_PATH", "data/logs.db"),
        )
        if not settings.secrets and not settings.jwks_uri:
            raise SystemExit("set JWT_SECRET_KEY or JWKS_URI: no token can be verified")
        if settings.secrets and not settings.shared_secret_issuer:
            raise SystemExit("JWT_ISSUER is required beside JWT_SECRET_KEY")
        if settings.jwks_uri and not settings.issuer:
            raise SystemExit("ISSUER is required beside JWKS_URI")
        if any(len(secret.encode()) < 32 for secret in settings.secrets):
            raise SystemExit(
                "every secret in JWT_SECRET_KEY must be at least 32 bytes long"
            )
        return settings


class Refused(Exception):
    """The request does not carry a token that allows it (RFC 6750 section 3.1)."""

    def __init__(
        self, status: int, error: str, description: str, **attributes: str
    ) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.attributes = attributes


class TokenVerifier:
    """Verifies access tokens (RFC 9068 section 4)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # Caches the keys, and fetches them again for a token that names an unknown one.
        self._jwks = (
            jwt.PyJWKClient(settings.jwks_uri, timeout=5) if settings.jwks_uri else None
        )

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims, or raise jwt.PyJWTError."""
        header = jwt.get_unverified_header(token)
        # "alg" only chooses between two separate worlds; each allows its own algorithms
        # and keys alone, so that a published key can never be taken for a shared secret
        # (RFC 8725 section 3.1).
        if header.get("alg") == "HS256":
            allowed_types, verify = SHARED_SECRET_TYPES, self._verify_shared_secret
        else:
            allowed_types, verify = PUBLISHED_KEY_TYPES, self._verify_published_key
        if header.get("typ") not in allowed_types:
            raise jwt.InvalidTokenError("not an access token")
        return verify(token)

    def _verify_shared_secret(self, token: str) -> dict[str, Any]:
        for secret in self._settings.secrets:
            try:
                return self._decode(
                    token, secret, ["HS256"], self._settings.shared_secret_issuer
                )
            except jwt.InvalidSignatureError:
                continue
        raise jwt.InvalidSignatureError("no shared secret matches")

    def _verify_published_key(self, token: str) -> dict[str, Any]:
        if self._jwks is None:
            raise jwt.InvalidKeyError("no published keys are configured")
        key = self._jwks.get_signing_key_from_jwt(token)
        return self._decode(token, key, ASYMMETRIC_ALGORITHMS, self._settings.issuer)

    def _decode(
        self, token: str, key: str | jwt.PyJWK, algorithms: list[str], issuer: str
    ) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=algorithms,
            issuer=issuer,
            audience=self._settings.audience,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp"]},
        )


class LogStore:
    """Log lines in one SQLite file, opened anew by each call: safe with any threads."""

    def __init__(self, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        # SQLite would let everybody read it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(SCHEMA)

    def insert(self, entry: dict[str, Any], sub: str) -> int | None:
        values = (
            entry["service"],
            entry["level"],
            entry["message"],
            json.dumps(entry["context"]),
            sub,
            datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        )
        with closing(sqlite3.connect(self._path)) as database, database:
            return database.execute(
                "INSERT INTO logs (service, level, message, context, sub, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                values,
            ).lastrowid

    def latest(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest lines, newest last."""
        with closing(sqlite3.connect(self._path)) as database:
            database.row_factory = sqlite3.Row
            rows = database.execute(
                "SELECT * FROM logs ORDER BY id DESC LIMIT ?", (limit,)
            ).fetchall()
        return [
            {**row, "context": json.loads(row["context"])} for row in reversed(rows)
        ]


def parse_entry(body: Any) -> dict[str, Any]:
    """Check one log line as a service sends it."""
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    service, level, message = (
        body.get("service"),
        body.get("level"),
        body.get("message"),
    )
    context = body.get("context", {})
    if not isinstance(service, str) or not 1 <= len(service) <= 200:
        raise BadRequest('"service" must be a string of 1 to 200 characters')
    if not isinstance(level, str) or level.upper() not in LEVELS:
        raise BadRequest(f'"level" must be one of {", ".join(sorted(LEVELS))}')
    if not isinstance(message, str):
        raise BadRequest('"message" must be a string')
    if not isinstance(context, dict):
        raise BadRequest('"context" must be a JSON object')
    return {
        "service": service,
        "level": level.upper(),
        "message": message,
        "context": context,
    }


def authenticate(verifier: TokenVerifier, scope: str) -> str:
    """Return the caller's subject. A token that carries scopes must carry this one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(401, "", 'send a JWT as "Authorization: Bearer <token>"')
    try:
        claims = verifier.verify(token)
    except jwt.PyJWKClientConnectionError as error:
        raise Refused(
            503, "temporarily_unavailable", "the keys cannot be fetched"
        ) from error
    except jwt.ExpiredSignatureError as error:
        raise Refused(401, "invalid_token", "the token has expired") from error
    except jwt.InvalidAudienceError as error:
        raise Refused(
            401, "invalid_token", "the token is for another audience"
        ) from error
    except jwt.InvalidIssuerError as error:
        raise Refused(
            401, "invalid_token", "the token is from another issuer"
        ) from error
    except jwt.PyJWTError as error:
        raise Refused(401, "invalid_token", "the token cannot be verified") from error
    if "scope" in claims and scope not in str(claims["scope"]).split(" "):
        raise Refused(
            403, "insufficient_scope", f"the token lacks the scope {scope}", scope=scope
        )
    sub: str = claims["sub"]
    return sub


def answer_refusal(refused: Refused) -> tuple[Response, int]:
    response = jsonify(
        error=refused.error or "invalid_token", error_description=str(refused)
    )
    if refused.status in (401, 403):
        # Who did not try to authenticate is told no error (RFC 6750 section 3.1).
        error = {"error": refused.error} if refused.error else {}
        attributes = {"realm": "logging", **error, **refused.attributes}
        challenge = ", ".join(f'{name}="{value}"' for name, value in attributes.items())
        response.headers["WWW-Authenticate"] = f"Bearer {challenge}"
    return response, refused.status


def answer_http_error(error: HTTPException) -> tuple[Response, int]:
    code = "invalid_request" if (error.code or 500) < 500 else "server_error"
    return jsonify(error=code, error_description=error.description), error.code or 500


def create_app(settings: Settings | None = None) -> Flask:
    settings = settings or Settings.from_environment()
    verifier = TokenVerifier(settings)
    logs = LogStore(settings.database_path)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.register_error_handler(Refused, answer_refusal)
    app.register_error_handler(HTTPException, answer_http_error)

    @app.post("/log")
    def write_log() -> dict[str, Any]:
        sub = authenticate(verifier, "logs:write")
        return {"status": "ok", "id": logs.insert(parse_entry(request.get_json()), sub)}

    @app.get("/logs")
    def read_logs() -> Response:
        authenticate(verifier, "logs:read")
        limit = request.args.get("limit", default="100")
        if not limit.isdecimal() or not 1 <= int(limit) <= 1000:
            raise BadRequest('"limit" must be 1 to 1000')
        return jsonify(logs.latest(int(limit)))

    @app.get("/ping")
    def ping() -> Response:
        return Response("OK", mimetype="text/plain")

    return app


if __name__ == "__main__":
    # For development. In production: gunicorn 'logging_service:create_app()'
    create_app().run(host="127.0.0.1", port=int(os.environ.get("PORT", "5001")))
