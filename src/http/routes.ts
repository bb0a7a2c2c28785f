// Lets a request go past the routers that it cannot be for.
import type { Middleware } from 'koa';
import type Router from 'koa-router';

/**
 * The router's routes. A router compares a path with each of its routes, which costs the endpoints of programs more than
 * their own work: a path that begins like none of them goes past.
 */
export function routesOf(router: Router): Middleware {
  const routes = router.routes() as unknown as Middleware;
  const beginnings = new Set(router.stack.map(({ path }) => beginningOf(String(path))));
  // a parameter or a pattern begins like anything
  if ([...beginnings].some((beginning) => !/^[\w.-]*$/.test(beginning))) return routes;
  return (ctx, next) => (beginnings.has(beginningOf(ctx.path)) ? routes(ctx, next) : next());
}

/** `login` of `/login/abc`. */
function beginningOf(path: string): string {
  const end = path.indexOf('/', 1);
  return path.slice(1, end === -1 ? undefined : end);
}
