// POST /verify: tells a service whether a JWT is one of ours, meant for it, and good now.
import type { Context } from 'koa';
import { errors } from 'oidc-provider';
import type { Verification } from '../tokens/verification.ts';
import { bodyKind, readForm, readJson } from './body.ts';

/**
 * 200 `{"valid":true,"claims":{…}}` or 401 `{"valid":false,"error":"invalid_token",…}`.
 * A missing or non-string member is 400: the caller must name the audience that it expects (RFC 8725 §3.9).
 */
export function createVerifyEndpoint(
  verify: (token: string, audience: string) => Promise<Verification>,
): (ctx: Context) => Promise<void> {
  return async function verifyEndpoint(ctx) {
    const { token, aud } = bodyKind(ctx) === 'json' ? await readJson(ctx) : await readForm(ctx);
    if (typeof token !== 'string' || token === '')
      throw new errors.InvalidRequest("missing required parameter 'token'");
    if (typeof aud !== 'string' || aud === '') throw new errors.InvalidRequest("missing required parameter 'aud'");
    const verification = await verify(token, aud);
    ctx.status = verification.valid ? 200 : 401;
    if (!verification.valid) ctx.set('www-authenticate', 'Bearer error="invalid_token"');
    ctx.body = verification;
  };
}
