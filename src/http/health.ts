// Liveness and readiness.
import type { Context } from 'koa';

/** One part of readiness: resolves when it works. */
type ReadinessCheck = () => Promise<unknown>;

/** `GET /ping`: the process answers. */
export async function ping(ctx: Context): Promise<void> {
  ctx.type = 'text/plain';
  ctx.body = 'OK';
}

/**
 * `GET /ready`: 200 when every part works, else 503 with a reason for each part that does not. The reasons are fixed
 * words; the errors themselves go to the log.
 */
export function createReadiness(options: {
  checks: Record<string, ReadinessCheck>;
  isDraining: () => boolean;
  onFailure: (part: string, error: unknown) => void;
}): (ctx: Context) => Promise<void> {
  return async function ready(ctx) {
    const parts: Record<string, string> = {};
    await Promise.all(
      Object.entries(options.checks).map(async ([part, check]) => {
        try {
          await check();
          parts[part] = 'ok';
        } catch (error) {
          parts[part] = 'failed';
          options.onFailure(part, error);
        }
      }),
    );
    if (options.isDraining()) parts['process'] = 'draining';
    const ok = Object.values(parts).every((state) => state === 'ok');
    ctx.status = ok ? 200 : 503;
    ctx.body = { status: ok ? 'ready' : 'not_ready', parts };
  };
}
