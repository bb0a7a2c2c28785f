// GET /test-token and GET /debug-env: mounted in development only; elsewhere they do not exist.
import { createHmac } from 'node:crypto';
import type { Context } from 'koa';

/** Public on purpose: services compare the fingerprints of a secret that they should share. */
const FINGERPRINT_LABEL = 'identity-backend debug-env fingerprint v1';

/** First 8 hex digits of HMAC-SHA256 keyed with a public label: comparable across services, of no use to a guesser. */
function secretFingerprint(secret: string): string {
  return createHmac('sha256', FINGERPRINT_LABEL).update(secret, 'utf8').digest('hex').slice(0, 8);
}

/** Lets a developer see that two services have the same secrets and names. */
export function createDebugEnv(options: {
  issuer: string;
  sharedSecretIssuer: string;
  audience: string;
  jwtSecrets: readonly string[];
}): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    ctx.body = {
      PUBLIC_URL: options.issuer,
      JWT_ISSUER: options.sharedSecretIssuer,
      LOGGING_BACKEND_AUD: options.audience,
      JWT_SECRET_KEY: options.jwtSecrets.map(secretFingerprint),
    };
  };
}

/** A service token for trying things out: `?sub=…&aud=…`, both optional. */
export function createTestToken(options: {
  audience: string;
  subject: string;
  issue(sub: string, aud: string): Promise<{ token: string; expiresIn: number } | undefined>;
}): (ctx: Context) => Promise<void> {
  return async function testToken(ctx) {
    const sub = [ctx.query['sub'] ?? options.subject].flat()[0] as string;
    const aud = [ctx.query['aud'] ?? options.audience].flat()[0] as string;
    const issued = await options.issue(sub, aud);
    if (issued === undefined) {
      ctx.status = 400;
      ctx.body = { error: 'invalid_target', error_description: 'no resource server has this audience' };
      return;
    }
    ctx.body = { token: issued.token, access_token: issued.token, token_type: 'Bearer', expires_in: issued.expiresIn };
  };
}
