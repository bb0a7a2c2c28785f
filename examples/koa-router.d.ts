// The part of koa-router that is used here; the package brings no types of its own.
declare module 'koa-router' {
  import type { Context, Middleware } from 'koa';

  class Router {
    get(path: string, handler: (ctx: Context) => Promise<void>): this;
    post(path: string, handler: (ctx: Context) => Promise<void>): this;
    routes(): Middleware;
    allowedMethods(): Middleware;
  }
  export = Router;
}
