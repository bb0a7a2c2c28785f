// A browser client: people sign in through the OpenID Provider and write log lines through the logging service.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Koa, { type Context } from 'koa';
import Router from 'koa-router';
import { type BrowserClientConfig, parseBrowserClientConfig } from './config.ts';
import { showHome, writeLine } from './home.ts';
import { createLogLines } from './log-lines.ts';
import { createPages, loadStylesheet, pageHeaders } from './pages.ts';
import { Problem, unexpected } from './problem.ts';
import { createRelyingParty } from './relying-party.ts';
import { createSessions } from './sessions.ts';
import { finishSignIn, startSignIn, startSignOut } from './sign-in.ts';

/** The application alone. Its sessions live in its memory: they end with the process. */
export function createBrowserClient(config: BrowserClientConfig): Koa {
  const sessions = createSessions(config.baseUrl.startsWith('https:'));
  const relyingParty = createRelyingParty(config);
  const logLines = createLogLines(config);
  const renderPage = createPages();
  const stylesheet = loadStylesheet();

  const router = new Router();
  router.get('/', (ctx) => showHome(ctx, sessions, logLines, renderPage));
  router.get('/login', (ctx) => startSignIn(ctx, sessions, relyingParty));
  router.get('/callback', (ctx) => finishSignIn(ctx, sessions, relyingParty));
  router.post('/log-line', (ctx) => writeLine(ctx, sessions, logLines));
  router.post('/logout', (ctx) => startSignOut(ctx, sessions, relyingParty));
  router.get('/style.css', async (ctx) => {
    ctx.type = 'css';
    ctx.body = stylesheet;
  });

  async function showProblems(ctx: Context, next: () => Promise<void>): Promise<void> {
    ctx.set(pageHeaders(config.issuer));
    try {
      await next();
    } catch (error) {
      const problem = error instanceof Problem ? error : unexpected(error);
      if (problem.status >= 500) ctx.app.emit('error', problem.cause, ctx);
      // Without a usable refresh token the sign-in is over, here as well.
      if (problem.status === 401) sessions.renew(ctx);
      ctx.status = problem.status;
      ctx.body = renderPage('problem', problem);
    }
  }

  const app = new Koa();
  app.use(showProblems).use(router.routes()).use(router.allowedMethods());
  return app;
}

/** Listens. `close` lets running requests finish. */
export async function startBrowserClient(
  config: BrowserClientConfig,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createBrowserClient(config).listen(config.port, config.host);
  await once(server, 'listening');
  return {
    url: `http://${config.host}:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}

if (import.meta.main) {
  const { url, close } = await startBrowserClient(parseBrowserClientConfig(process.env));
  process.stdout.write(`listening on ${url}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, close);
}
