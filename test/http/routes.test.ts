// Which requests go past a router, and that it makes no difference to those that it answers.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import Router from 'koa-router';
import { after, describe, it } from 'mocha';
import { routesOf } from '../../src/http/routes.ts';

function routerOf(paths: readonly (string | RegExp)[], name: string): Router {
  const router = new Router({ sensitive: true, strict: true });
  for (const path of paths) {
    router.get(path as string, (ctx) => {
      ctx.body = name;
    });
  }
  return router;
}

/** Answers with who has answered, and whether a router was asked on the way. */
function createApplication(paths: readonly (string | RegExp)[]): Koa {
  const router = routerOf(paths, 'route');
  const second = routerOf(['/login', '/second'], 'second');
  const koa = new Koa();
  koa.use(async (ctx, next) => {
    await next();
    ctx.body = `${ctx.body}${'matched' in ctx ? ', asked' : ''}`;
  });
  koa.use(routesOf(router, second));
  koa.use((ctx) => {
    ctx.body = 'behind';
  });
  return koa;
}

const PATHS = ['/', '/login', '/login/:uid', '/account/keys/:id/remove'];

const cases: readonly [paths: readonly (string | RegExp)[], path: string, answer: string][] = [
  [PATHS, '/', 'route, asked'],
  [PATHS, '/?query=/login', 'route, asked'],
  [PATHS, '/login', 'route, asked'],
  [PATHS, '/login?query', 'route, asked'],
  [PATHS, '/login/abc', 'route, asked'],
  [PATHS, '/account/keys/1/remove', 'route, asked'],
  [PATHS, '/account', 'behind, asked'],
  [PATHS, '/login/', 'behind, asked'],
  [PATHS, '/token', 'behind'],
  [PATHS, '/Login', 'behind'],
  [PATHS, '/log', 'behind'],
  [PATHS, '//login', 'behind, asked'],
  [PATHS, '/toString', 'behind'],
  [PATHS, '/second', 'second, asked'],
  [['/account'], '/login', 'second, asked'],
  [['/:anything'], '/second', 'route, asked'],
  [['/:anything'], '/token', 'route, asked'],
  [['/log{in}'], '/login', 'route, asked'],
  [[/^\/tok/], '/token', 'route, asked'],
];

describe('the routes of a router', () => {
  const servers: Server[] = [];
  after(() => {
    for (const server of servers) server.close();
  });

  for (const [paths, path, expected] of cases) {
    it(`of ${paths.join(' ')}: ${path} gets "${expected}"`, async () => {
      const server = createServer(createApplication(paths).callback());
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
      assert.equal(await response.text(), expected);
    });
  }
});
