// Lets a request go past the routers that it cannot be for.
import type { Middleware } from 'koa';
import compose from 'koa-compose';
import type Router from 'koa-router';

/**
 * The routes of all of these routers, in their order. Each compares a path with every route that it has, which would
 * cost the endpoints of programs more than their own work: a path that begins like none of a router's goes past it.
 */
export function routesOf(...routers: readonly Router[]): Middleware {
  const parts = routers.map((router) => ({
    routes: router.routes() as unknown as Middleware,
    beginnings: router.stack.map(({ path }) => beginningOf(String(path))),
  }));
  const routesFor = (beginning: string) =>
    compose(
      parts
        .filter(({ beginnings }) => beginnings.some((one) => one === beginning || isPattern(one)))
        .map(({ routes }) => routes),
    ) as Middleware;
  const known = new Map(parts.flatMap(({ beginnings }) => beginnings).map((one) => [one, routesFor(one)]));
  const others = routesFor('*');
  return (ctx, next) => (known.get(beginningOf(ctx.path)) ?? others)(ctx, next);
}

/** `login` of `/login/abc`. */
function beginningOf(path: string): string {
  const end = path.indexOf('/', 1);
  return path.slice(1, end === -1 ? undefined : end);
}

/** A parameter or an expression may be like any beginning. */
function isPattern(beginning: string): boolean {
  return !/^[\w.-]*$/.test(beginning);
}
