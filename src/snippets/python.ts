// Python: one caller, and a verifier for Flask, FastAPI and Django, all by PyJWT.
import { literal, type Snippet, type SnippetFacts } from './facts.ts';

interface Framework {
  readonly name: string;
  readonly packages: string;
  /** standard modules beside those of the verifier */
  readonly modules: readonly string[];
  readonly imports: string;
  /** what turns `verify` into the framework's own way to guard a view */
  readonly guard: string;
}

const flask: Framework = {
  name: 'Flask',
  packages: 'flask',
  modules: ['functools'],
  imports: 'from flask import g, jsonify, request',
  guard: `def require_token(scope=None):
    """Guards a view: @app.get("/logs"), then @require_token("logs:read"). The claims are in g.claims."""

    def decorate(view):
        @functools.wraps(view)
        def guarded(*args, **kwargs):
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            try:
                if scheme.lower() != "bearer":
                    raise jwt.InvalidTokenError("no bearer token")
                g.claims = verify(token.strip())
            except jwt.PyJWTError:
                return jsonify(error="invalid_token"), 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            if scope and scope not in g.claims.get("scope", "").split():
                return jsonify(error="insufficient_scope"), 403
            return view(*args, **kwargs)

        return guarded

    return decorate`,
};

const fastapi: Framework = {
  name: 'FastAPI',
  packages: 'fastapi',
  modules: [],
  imports: `from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer`,
  guard: `bearer = HTTPBearer(auto_error=False)


def require_token(scope=None):
    """Guards a path: @app.get("/logs") def logs(claims: dict = Depends(require_token("logs:read")))."""

    def claims_of(credentials: HTTPAuthorizationCredentials | None = Depends(bearer)):
        try:
            if credentials is None:
                raise jwt.InvalidTokenError("no bearer token")
            claims = verify(credentials.credentials)
        except jwt.PyJWTError as error:
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise HTTPException(401, "invalid_token", headers) from error
        if scope and scope not in claims.get("scope", "").split():
            raise HTTPException(403, "insufficient_scope")
        return claims

    return claims_of`,
};

const django: Framework = {
  name: 'Django',
  packages: 'django',
  modules: ['functools'],
  imports: 'from django.http import JsonResponse',
  guard: `def require_token(scope=None):
    """Guards a view: @require_token("logs:read") def logs(request). The claims are in request.claims."""

    def decorate(view):
        @functools.wraps(view)
        def guarded(request, *args, **kwargs):
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            try:
                if scheme.lower() != "bearer":
                    raise jwt.InvalidTokenError("no bearer token")
                request.claims = verify(token.strip())
            except jwt.PyJWTError:
                headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
                return JsonResponse({"error": "invalid_token"}, status=401, headers=headers)
            if scope and scope not in request.claims.get("scope", "").split():
                return JsonResponse({"error": "insufficient_scope"}, status=403)
            return view(request, *args, **kwargs)

        return guarded

    return decorate`,
};

/** For Flask 2 and later. */
export function pythonFlask(facts: SnippetFacts): Snippet {
  return { caller: caller(facts), verifier: verifier(facts, flask) };
}

export function pythonFastapi(facts: SnippetFacts): Snippet {
  return { caller: caller(facts), verifier: verifier(facts, fastapi) };
}

/** For Django 3.2 and later. */
export function pythonDjango(facts: SnippetFacts): Snippet {
  return { caller: caller(facts), verifier: verifier(facts, django) };
}

function caller({ tokenEndpoint, audience, clientId }: SnippetFacts): string {
  return `"""Calls ${audience} as a service. Needs: pip install requests. CLIENT_SECRET comes from the environment."""

import os
import time
from urllib.parse import quote

import requests

TOKEN_ENDPOINT = ${literal(tokenEndpoint)}
AUDIENCE = ${literal(audience)}
CLIENT_ID = ${clientId === undefined ? 'os.environ["CLIENT_ID"]' : literal(clientId)}

_token = {"value": "", "good_until": 0.0}


def access_token():
    """A token that is good for at least 30 seconds more."""
    if time.monotonic() > _token["good_until"]:
        credentials = (quote(CLIENT_ID, safe=""), quote(os.environ["CLIENT_SECRET"], safe=""))
        form = {"grant_type": "client_credentials", "audience": AUDIENCE}
        answer = requests.post(TOKEN_ENDPOINT, data=form, auth=credentials, timeout=10)
        answer.raise_for_status()
        body = answer.json()
        _token.update(value=body["access_token"], good_until=time.monotonic() + body["expires_in"] - 30)
    return _token["value"]


def call(method, url, **options):
    """requests.request with the token: call("GET", "https://service.example/logs")."""
    headers = {**options.pop("headers", {}), "Authorization": f"Bearer {access_token()}"}
    return requests.request(method, url, headers=headers, timeout=options.pop("timeout", 10), **options)
`;
}

function verifier(facts: SnippetFacts, framework: Framework): string {
  const { issuer, audience, alg, clockSkew } = facts;
  const shared = alg === 'HS256';
  const modules = [...framework.modules, ...(shared ? ['os'] : [])].sort().map((name) => `import ${name}\n`);
  return `"""Accepts access tokens for ${audience} in ${framework.name}. Needs: pip install ${framework.packages} "PyJWT[crypto]>=2.8"."""

${modules.join('')}${modules.length > 0 ? '\n' : ''}import jwt
${framework.imports}

ISSUER = ${literal(issuer)}
AUDIENCE = ${literal(audience)}
# the service decides which algorithm it accepts, never the token
ALGORITHMS = [${literal(alg)}]
LEEWAY_SECONDS = ${clockSkew}
${shared ? sharedSecretKeys : publishedKeys(facts)}

def verify(token):
    """The claims of a good token. Raises jwt.PyJWTError for every other."""
    # ID tokens are signed with the same keys: only the type tells them apart
    if jwt.get_unverified_header(token).get("typ") not in ("at+jwt", "application/at+jwt"):
        raise jwt.InvalidTokenError("not an access token")
    failure = jwt.InvalidSignatureError("no key")
    for key in keys_for(token):
        try:
            return jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                issuer=ISSUER,
                audience=AUDIENCE,
                leeway=LEEWAY_SECONDS,
                options={"require": ["iss", "aud", "exp", "sub"]},
            )
        except jwt.InvalidSignatureError as error:
            failure = error
    raise failure


${framework.guard}
`;
}

const sharedSecretKeys = `# a list while the secret is being replaced: any of them may have signed
SECRETS = [secret for secret in os.environ["JWT_SECRET_KEY"].split(",") if secret]


def keys_for(_token):
    return SECRETS
`;

function publishedKeys({ jwksUri }: SnippetFacts): string {
  return `# fetched once, kept for ten minutes, fetched again for a key that is not known
_jwks = jwt.PyJWKClient(${literal(jwksUri)}, lifespan=600, timeout=5)


def keys_for(token):
    return [_jwks.get_signing_key_from_jwt(token).key]
`;
}
