// A logging back end: services and signed-in users write log lines with a JWT, and read them back.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Koa, { type Context } from 'koa';
import { koaBody } from 'koa-body';
import Router from 'koa-router';
import { authenticate } from './bearer.ts';
import { type LoggingBackendConfig, parseLoggingBackendConfig } from './config.ts';
import { parseLogEntry } from './log-entry.ts';
import { type LogStore, openLogStore } from './log-store.ts';
import { Refusal } from './refusal.ts';
import { secretFingerprint } from './secret-fingerprint.ts';
import { createTokenVerifier } from './token-verification.ts';

const maxBodyBytes = 64 * 1024;
const defaultLimit = 100;
const maxLimit = 1000;

/** The application alone, for a store that the caller opened and closes. */
export function createLoggingBackend(config: LoggingBackendConfig, logs: LogStore): Koa {
  const verifyToken = createTokenVerifier(config);
  const parseJson = koaBody({ urlencoded: false, text: false, jsonLimit: maxBodyBytes });

  async function writeLog(ctx: Context): Promise<void> {
    // Before the body is read: a stranger costs us one header.
    const { sub } = await authenticate(ctx, verifyToken, 'logs:write');
    if (ctx.is('application/json') === false) {
      throw new Refusal(415, 'invalid_request', 'the body must be application/json');
    }
    await parseJson(ctx, async () => {});
    ctx.body = { status: 'ok', id: logs.insert(parseLogEntry(ctx.request.body), sub) };
  }

  async function readLogs(ctx: Context): Promise<void> {
    await authenticate(ctx, verifyToken, 'logs:read');
    ctx.body = logs.latest(parseLimit(ctx.query.limit));
  }

  // Lets a developer see, next to the issuer's own /debug-env, that both have the same secret and names.
  async function debugEnvironment(ctx: Context): Promise<void> {
    if (!isLoopback(ctx.socket.remoteAddress)) return;
    ctx.body = {
      JWT_ISSUER: config.shared?.issuer,
      ISSUER: config.provider?.issuer,
      LOGGING_BACKEND_AUD: config.audience,
      JWT_SECRET_KEY: config.shared?.secrets.map(secretFingerprint) ?? [],
    };
  }

  async function ping(ctx: Context): Promise<void> {
    ctx.type = 'text/plain';
    ctx.body = 'OK';
  }

  const router = new Router();
  router.post('/log', writeLog).get('/logs', readLogs).get('/ping', ping);
  if (config.development) router.get('/debug-env', debugEnvironment);
  const app = new Koa();
  app.use(answerRefusals).use(router.routes()).use(router.allowedMethods());
  return app;
}

/** Opens the store and listens. `close` lets running requests finish, then closes the store. */
export async function startLoggingBackend(
  config: LoggingBackendConfig,
): Promise<{ url: string; close(): Promise<void> }> {
  const logs = openLogStore(config.databasePath);
  const server = createLoggingBackend(config, logs).listen(config.port, config.host);
  await once(server, 'listening');
  return {
    url: `http://${config.host}:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      await once(server, 'close');
      logs[Symbol.dispose]();
    },
  };
}

async function answerRefusals(ctx: Context, next: () => Promise<void>): Promise<void> {
  try {
    await next();
  } catch (error) {
    const refusal = toRefusal(error);
    if (refusal.status === 500) ctx.app.emit('error', error, ctx);
    ctx.status = refusal.status;
    ctx.set({ ...refusal.headers, 'Cache-Control': 'no-store' });
    ctx.body = { error: refusal.code, error_description: refusal.message };
  }
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const status = (error as { status?: unknown }).status;
  if (status === 400) return new Refusal(400, 'invalid_request', 'the body is not valid JSON');
  if (status === 413) return new Refusal(413, 'invalid_request', `the body must not exceed ${maxBodyBytes} bytes`);
  return new Refusal(500, 'server_error', 'something went wrong here');
}

function parseLimit(value: string | string[] | undefined): number {
  if (value === undefined) return defaultLimit;
  const limit = typeof value === 'string' && /^[0-9]{1,4}$/.test(value) ? Number(value) : 0;
  if (limit < 1 || limit > maxLimit) throw new Refusal(400, 'invalid_request', `"limit" must be 1 to ${maxLimit}`);
  return limit;
}

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
}

if (import.meta.main) {
  const { url, close } = await startLoggingBackend(parseLoggingBackendConfig(process.env));
  process.stdout.write(`listening on ${url}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, close);
}
