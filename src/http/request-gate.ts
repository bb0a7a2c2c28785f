// Pins every request to the issuer before anything reads it: path prefix, host, scheme and the caller's address.
import type { Middleware } from 'koa';
import type { Logger } from 'pino';
import { type ArrivalOptions, createArrivals, FORWARDED, type Peer } from './arrivals.ts';
import { certificateHeaders } from './client-certificate.ts';

/** The origin and path of the issuer replace whatever the request claims. */
export interface RequestGate extends ArrivalOptions {
  /** hears, at most once a minute, that a request was refused because of its proxy */
  logger: Logger;
}

/**
 * Answered over plain http too, since they carry nothing worth protecting: probes come from inside, and the page that says
 * what is wrong with a proxy has a stylesheet.
 */
const PLAIN_PATHS = /^\/(ping$|ready$|styles\/)/;
/** Also for the operator who tries the first request through a new proxy. */
const ONLY_HTTPS =
  'this service is only available over https; a proxy that terminates TLS has to be listed in TRUSTED_PROXIES and to send X-Forwarded-Proto';

/**
 * Makes `ctx.path` relative to the issuer, whether or not the proxy kept the prefix, and lets `ctx.host`,
 * `ctx.protocol` and `ctx.ip` say what the issuer and the trusted proxies say; forwarded headers of anybody else are
 * dropped. With an https issuer, a request that came over plain http is refused, except for health probes, the stylesheet and
 * programs on the same machine that ask for something other than a page. The application needs `app.proxy = true`.
 */
export function createRequestGate({ issuer, trustedProxies, logger }: RequestGate): Middleware {
  const { protocol, host } = new URL(issuer);
  const scheme = protocol.slice(0, -1);
  const arrivalOf = createArrivals({ issuer, trustedProxies });
  const report = createProxyReport(logger);

  return async function requestGate(ctx, next) {
    const { req } = ctx;
    const { target, namesHost, peer, address, insecure, sameMachine } = arrivalOf(req);
    const forwardedProto = req.headers['x-forwarded-proto'];

    // a target that is none must not be read again, least of all by what answers the refusal
    req.url = target ?? '/';
    for (const name of FORWARDED) delete req.headers[name];
    if (!peer.trusted || peer.unix) for (const name of certificateHeaders) delete req.headers[name];
    req.headers['host'] = host;
    req.headers['x-forwarded-host'] = host;
    req.headers['x-forwarded-proto'] = scheme;
    req.headers['x-forwarded-for'] = address;

    if (target === undefined) ctx.throw(400, 'the request target is malformed');
    if (!namesHost) ctx.throw(400, 'exactly one Host header is required');
    if (insecure && !PLAIN_PATHS.test(ctx.path) && (!sameMachine || isPage(ctx.path))) {
      if (!peer.trusted || forwardedProto === undefined) report(peer);
      ctx.throw(400, ONLY_HTTPS, { expose: true });
    }
    await next();
  };
}

/** Strangers can have requests refused as often as they like, but not fill the log with it. */
function createProxyReport(logger: Logger): (peer: Peer) => void {
  let quietUntil = 0;
  return ({ address, trusted }) => {
    if (Date.now() < quietUntil) return;
    quietUntil = Date.now() + 60_000;
    const fault = trusted ? 'sends no X-Forwarded-Proto' : 'is not listed in TRUSTED_PROXIES';
    logger.warn({ peer: address }, `refused a request over plain http: if ${address} is your proxy, it ${fault}`);
  };
}

/** The pages that set cookies: never shown where the cookie would travel unprotected. */
function isPage(path: string): boolean {
  return /^\/(authorize|login|logout|account|reset-password|invitation|verify-email|sign-up)(\/|$)/.test(path);
}
