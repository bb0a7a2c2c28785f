"""Asks the issuer's revocation feed about a token that verified locally; docs/revocation.md says how to use it."""

import base64
import hashlib
import threading
import time

import jwt
import requests


class RevocationReader:
    def __init__(self, issuer):
        self.issuer, self.keys, self.lock = issuer, jwt.PyJWKClient(f"{issuer}/jwks"), threading.Lock()
        self.feed, self.etag, self.asked_at = {"exp": 0}, "", 0

    def is_revoked(self, jti):
        """Whether the token with this jti was revoked. Raises when that cannot be known: answer 503 then."""
        with self.lock:
            if time.time() - self.asked_at > 5:
                self.asked_at = time.time()
                self.ask()
        if self.feed["exp"] < time.time():
            raise RuntimeError("the revocation feed cannot be read")
        digest = base64.urlsafe_b64encode(hashlib.sha256(jti.encode()).digest()).rstrip(b"=").decode()
        if digest not in self.feed["revoked"] and not self.feed["complete"]:
            raise RuntimeError("the list of revoked tokens is cut short: ask /introspect")
        return digest in self.feed["revoked"]

    def ask(self):
        try:
            answer = requests.get(f"{self.issuer}/revocations", headers={"If-None-Match": self.etag}, timeout=2)
            if answer.status_code == 200 and jwt.get_unverified_header(answer.text)["typ"] == "revocations+jwt":
                key = self.keys.get_signing_key_from_jwt(answer.text)
                self.feed = jwt.decode(answer.text, key, algorithms=["ES256"], issuer=self.issuer, leeway=15)
                self.etag = answer.headers["ETag"]
        except (requests.RequestException, jwt.PyJWTError, KeyError):
            pass  # the former feed serves until it expires
