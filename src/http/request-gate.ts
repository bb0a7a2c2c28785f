// Pins every request to the issuer before anything reads it: path prefix, host, scheme and the caller's address.
import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import type { Middleware } from 'koa';

export interface RequestGate {
  /** the OIDC issuer; its origin and path replace whatever the request claims */
  issuer: string;
  /** addresses and CIDR ranges whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed */
  trustedProxies: readonly string[];
}

/** Answered over plain http too, since they carry nothing worth protecting: probes come from inside. */
const PLAIN_PATHS = new Set(['/ping', '/ready']);
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'];

/**
 * Makes `ctx.path` relative to the issuer, whether or not the proxy kept the prefix, and lets `ctx.host`,
 * `ctx.protocol` and `ctx.ip` say what the issuer and the trusted proxies say; forwarded headers of anybody else are
 * dropped. With an https issuer, a request that came over plain http is refused, except for health probes and for
 * programs on the same machine that ask for something other than a page. The application needs `app.proxy = true`.
 */
export function createRequestGate({ issuer, trustedProxies }: RequestGate): Middleware {
  const { protocol, host, pathname } = new URL(issuer);
  const prefix = pathname === '/' ? '' : pathname;
  const scheme = protocol.slice(0, -1);
  const trusts = createAddressMatcher(trustedProxies);

  return async function requestGate(ctx, next) {
    const { req } = ctx;
    const target = relativeTarget(req.url ?? '/', prefix);
    if (target === undefined) ctx.throw(400, 'the request target is malformed');
    req.url = target;

    const peer = peerOf(req);
    const forwarded = FORWARDED.some((name) => req.headers[name] !== undefined);
    const trusted = peer === undefined || trusts(peer);
    const secure = trusted ? isForwardedSecurely(req, peer) : false;
    const address = trusted ? forwardedAddress(req, peer, trusts) : peer;

    for (const name of FORWARDED) delete req.headers[name];
    req.headers['host'] = host;
    req.headers['x-forwarded-host'] = host;
    req.headers['x-forwarded-proto'] = scheme;
    req.headers['x-forwarded-for'] = address ?? '127.0.0.1';

    if (scheme === 'https' && !secure && !PLAIN_PATHS.has(ctx.path)) {
      const sameMachine = !forwarded && peer !== undefined && isLoopback(peer);
      if (!sameMachine || isPage(ctx.path)) {
        ctx.throw(400, 'this service is only available over https', { expose: true });
      }
    }
    await next();
  };
}

/** Rooted path and query without the issuer's prefix; undefined when the target is not one (RFC 9112 §3.2). */
function relativeTarget(target: string, prefix: string): string | undefined {
  const rooted = target.startsWith('/') ? target : absoluteForm(target);
  if (rooted === undefined) return undefined;
  const queryAt = rooted.indexOf('?');
  const path = queryAt === -1 ? rooted : rooted.slice(0, queryAt);
  const query = queryAt === -1 ? '' : rooted.slice(queryAt);
  return (withoutPrefix(path, prefix) || '/') + query;
}

function absoluteForm(target: string): string | undefined {
  const url = /^https?:\/\//i.test(target) ? URL.parse(target) : null;
  return url ? url.pathname + url.search : undefined;
}

function withoutPrefix(path: string, prefix: string): string {
  if (prefix === '') return path;
  if (path === prefix || path.startsWith(`${prefix}/`)) return path.slice(prefix.length);
  // RFC 8414 §3.1: for an issuer with a path, the well-known part comes before that path
  if (path.startsWith('/.well-known/') && path.endsWith(prefix)) return path.slice(0, -prefix.length);
  return path;
}

/** The pages that set cookies: never shown where the cookie would travel unprotected. */
function isPage(path: string): boolean {
  return /^\/(authorize|login|logout|account)(\/|$)/.test(path);
}

/** The socket's address; undefined on a unix socket, whose other end is a web server of this machine. */
function peerOf(req: IncomingMessage): string | undefined {
  const address = req.socket.remoteAddress;
  return address === undefined ? undefined : canonicalAddress(address);
}

function isForwardedSecurely(req: IncomingMessage, peer: string | undefined): boolean {
  const value = req.headers['x-forwarded-proto'];
  if (value === undefined) return peer === undefined;
  // each hop appends; the last one is what the trusted peer saw or passed on
  return String(value).split(',').at(-1)?.trim().toLowerCase() === 'https';
}

/** The rightmost address that is not a trusted proxy's; the peer itself when the header is unusable. */
function forwardedAddress(
  req: IncomingMessage,
  peer: string | undefined,
  trusts: (address: string) => boolean,
): string | undefined {
  const header = req.headers['x-forwarded-for'];
  if (header === undefined) return peer;
  let nearest = peer;
  for (const hop of String(header).slice(-1024).split(',').reverse()) {
    const address = canonicalAddress(hop.trim());
    if (address === undefined) return nearest;
    nearest = address;
    if (!trusts(address)) break;
  }
  return nearest;
}

/** One spelling per address: IPv4-mapped IPv6 becomes IPv4. Undefined when it is not an address. */
function canonicalAddress(address: string): string | undefined {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : undefined;
}

function isLoopback(address: string): boolean {
  return ipaddr.process(address).range() === 'loopback';
}

function createAddressMatcher(ranges: readonly string[]): (address: string) => boolean {
  const blocks = ranges.map((range) => {
    if (range.includes('/')) return ipaddr.parseCIDR(range);
    const address = ipaddr.process(range);
    return [address, address.kind() === 'ipv4' ? 32 : 128] as [ipaddr.IPv4 | ipaddr.IPv6, number];
  });
  return (text) => {
    const address = ipaddr.process(text);
    return blocks.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits));
  };
}
