// Node: a caller by fetch and a verifier for Express, by jose.
import { literal, type Snippet, type SnippetFacts } from './facts.ts';

/** For Express 4 and 5, as an ES module. */
export function express(facts: SnippetFacts): Snippet {
  return { caller: caller(facts), verifier: verifier(facts) };
}

function caller({ tokenEndpoint, audience, clientId }: SnippetFacts): string {
  return `// Calls ${audience} as a service. Needs Node 18 or later. CLIENT_SECRET comes from the environment.
const TOKEN_ENDPOINT = ${literal(tokenEndpoint)};
const AUDIENCE = ${literal(audience)};
const CLIENT_ID = ${clientId === undefined ? 'process.env.CLIENT_ID' : literal(clientId)};

let token = { value: '', goodUntil: 0 };

/** A token that is good for at least 30 seconds more. */
export async function accessToken() {
  if (performance.now() > token.goodUntil) {
    const credentials = [CLIENT_ID, process.env.CLIENT_SECRET].map(encodeURIComponent).join(':');
    const answer = await fetch(TOKEN_ENDPOINT, {
      method: 'POST',
      headers: { authorization: \`Basic \${Buffer.from(credentials).toString('base64')}\` },
      body: new URLSearchParams({ grant_type: 'client_credentials', audience: AUDIENCE }),
      signal: AbortSignal.timeout(10_000),
    });
    const body = await answer.json();
    if (!answer.ok) throw new Error(\`no token: \${body.error}: \${body.error_description}\`);
    token = { value: body.access_token, goodUntil: performance.now() + (body.expires_in - 30) * 1000 };
  }
  return token.value;
}

/** fetch with the token: await call('https://service.example/logs'). */
export async function call(url, options = {}) {
  const headers = new Headers(options.headers);
  headers.set('authorization', \`Bearer \${await accessToken()}\`);
  return fetch(url, { ...options, headers });
}
`;
}

function verifier(facts: SnippetFacts): string {
  const { issuer, audience, alg, clockSkew } = facts;
  const shared = alg === 'HS256';
  return `// Accepts access tokens for ${audience} in Express. Needs: npm install express jose
import { ${shared ? 'errors, jwtVerify' : 'createRemoteJWKSet, errors, jwtVerify'} } from 'jose';

${shared ? sharedSecretKeys : publishedKeys(facts)}
/** The claims of a good token. Rejects with one of jose's errors for every other. */
export async function verify(token) {
  let failure;
  for (const key of keys) {
    try {
      const { payload } = await jwtVerify(token, key, {
        // the service decides which algorithm it accepts, never the token
        algorithms: [${literal(alg)}],
        issuer: ${literal(issuer)},
        audience: ${literal(audience)},
        // ID tokens are signed with the same keys: only the type tells them apart
        typ: 'at+jwt',
        requiredClaims: ['exp', 'sub'],
        clockTolerance: ${clockSkew},
      });
      return payload;
    } catch (error) {
      failure = error;
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw failure;
}

/** Guards a route: app.get('/logs', requireToken('logs:read'), handler). The claims are in request.claims. */
export function requireToken(scope) {
  return async (request, response, next) => {
    const [, token] = /^Bearer +(\\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    try {
      request.claims = await verify(token ?? '');
    } catch (error) {
      // anything else, such as keys that cannot be fetched, is not the caller's fault
      if (!(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout) return next(error);
      response.setHeader('WWW-Authenticate', 'Bearer error="invalid_token"');
      return response.status(401).json({ error: 'invalid_token' });
    }
    if (scope && !String(request.claims.scope ?? '').split(' ').includes(scope)) {
      return response.status(403).json({ error: 'insufficient_scope' });
    }
    next();
  };
}
`;
}

const sharedSecretKeys = `// a list while the secret is being replaced: any of them may have signed
const keys = process.env.JWT_SECRET_KEY.split(',').filter(Boolean).map((secret) => new TextEncoder().encode(secret));
`;

function publishedKeys({ jwksUri }: SnippetFacts): string {
  return `// fetched once, kept for ten minutes, fetched again for a key that is not known, but not more than twice a minute
const keys = [createRemoteJWKSet(new URL(${literal(jwksUri)}))];
`;
}
