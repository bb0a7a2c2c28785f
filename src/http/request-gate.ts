// Pins every request to the issuer before anything reads it: path prefix, host, scheme and the caller's address.
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Middleware } from 'koa';
import type { Logger } from 'pino';
import { certificateHeaders } from './client-certificate.ts';

export interface RequestGate {
  /** the OIDC issuer; its origin and path replace whatever the request claims */
  issuer: string;
  /** addresses and CIDR ranges whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed */
  trustedProxies: readonly string[];
  /** hears, at most once a minute, that a request was refused because of its proxy */
  logger: Logger;
}

/**
 * Answered over plain http too, since they carry nothing worth protecting: probes come from inside, and the page that says
 * what is wrong with a proxy has a stylesheet.
 */
const PLAIN_PATHS = /^\/(ping$|ready$|styles\/)/;
/** Stands for the address of a peer that is gone. */
const NO_ADDRESS = '0.0.0.0';
/** Also for the operator who tries the first request through a new proxy. */
const ONLY_HTTPS =
  'this service is only available over https; a proxy that terminates TLS has to be listed in TRUSTED_PROXIES and to send X-Forwarded-Proto';
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'];

/**
 * Makes `ctx.path` relative to the issuer, whether or not the proxy kept the prefix, and lets `ctx.host`,
 * `ctx.protocol` and `ctx.ip` say what the issuer and the trusted proxies say; forwarded headers of anybody else are
 * dropped. With an https issuer, a request that came over plain http is refused, except for health probes, the stylesheet and
 * programs on the same machine that ask for something other than a page. The application needs `app.proxy = true`.
 */
export function createRequestGate({ issuer, trustedProxies, logger }: RequestGate): Middleware {
  const { protocol, host, pathname } = new URL(issuer);
  const prefix = pathname === '/' ? '' : pathname;
  const scheme = protocol.slice(0, -1);
  const trusts = createAddressMatcher(trustedProxies);
  const report = createProxyReport(logger);

  return async function requestGate(ctx, next) {
    const { req } = ctx;
    const target = relativeTarget(req.url ?? '/', prefix);
    const hosts = countHeaders(req, 'host');
    const peer = peerOf(req, trusts);
    const forwarded = FORWARDED.some((name) => req.headers[name] !== undefined);
    const forwardedProto = req.headers['x-forwarded-proto'];
    const secure = peer.trusted && isForwardedSecurely(forwardedProto, peer);
    const address = peer.trusted ? forwardedAddress(req, peer, trusts) : peer.address;

    // a target that is none must not be read again, least of all by what answers the refusal
    req.url = target ?? '/';
    for (const name of FORWARDED) delete req.headers[name];
    if (!peer.trusted || peer.unix) for (const name of certificateHeaders) delete req.headers[name];
    req.headers['host'] = host;
    req.headers['x-forwarded-host'] = host;
    req.headers['x-forwarded-proto'] = scheme;
    req.headers['x-forwarded-for'] = address;

    if (target === undefined) ctx.throw(400, 'the request target is malformed');
    if (hosts > 1 || (hosts === 0 && req.httpVersion === '1.1')) {
      ctx.throw(400, 'exactly one Host header is required');
    }
    if (scheme === 'https' && !secure && !PLAIN_PATHS.test(ctx.path)) {
      const sameMachine = !forwarded && isLoopback(peer.address) && !peer.unix;
      if (!sameMachine || isPage(ctx.path)) {
        if (!peer.trusted || forwardedProto === undefined) report(peer);
        ctx.throw(400, ONLY_HTTPS, { expose: true });
      }
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

/** How often the header was sent; of a repeated `Host`, Node keeps the first one alone. */
function countHeaders({ rawHeaders }: IncomingMessage, name: string): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === name) count += 1;
  return count;
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
  return /^\/(authorize|login|logout|account|reset-password|invitation|verify-email|sign-up)(\/|$)/.test(path);
}

/** Who is at the other end of the socket. */
interface Peer {
  address: string;
  /** at the other end of a unix socket is a web server of this machine */
  unix: boolean;
  trusted: boolean;
}

/**
 * A peer that has reset its connection has no address any more, like the one of a unix socket: only our own end tells
 * them apart.
 */
function peerOf({ socket }: IncomingMessage, trusts: (address: string) => boolean): Peer {
  const address = canonicalAddress(socket.remoteAddress ?? '');
  if (address !== undefined) return { address, unix: false, trusted: trusts(address) };
  const unix = socket.localAddress === undefined && !socket.destroyed;
  return { address: unix ? '127.0.0.1' : NO_ADDRESS, unix, trusted: unix };
}

function isForwardedSecurely(value: string | string[] | undefined, peer: Peer): boolean {
  if (value === undefined) return peer.unix;
  // each hop appends; the last one is what the trusted peer saw or passed on
  return String(value).split(',').at(-1)?.trim().toLowerCase() === 'https';
}

/** The rightmost address that is not a trusted proxy's; the nearest one known when the header is unusable. */
function forwardedAddress(req: IncomingMessage, peer: Peer, trusts: (address: string) => boolean): string {
  let nearest = peer.address;
  const hops = String(req.headers['x-forwarded-for'] ?? '')
    .slice(-1024)
    .split(',');
  for (const hop of hops.reverse()) {
    const address = canonicalAddress(hop.trim());
    if (address === undefined) return nearest;
    nearest = address;
    if (!trusts(address)) break;
  }
  return nearest;
}

/**
 * One spelling per address: IPv4-mapped IPv6 becomes IPv4. Undefined when it is not an address, which is also what the
 * short, octal and hexadecimal spellings are that `ipaddr.js` would take.
 */
export function canonicalAddress(text: string): string | undefined {
  // of IPv4 there is one spelling that is an address
  if (isIP(text) === 4) return text;
  return isIP(text) === 0 ? undefined : ipaddr.process(text).toString();
}

/** @param address in its one spelling */
function isLoopback(address: string): boolean {
  return address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);
}

function createAddressMatcher(ranges: readonly string[]): (address: string) => boolean {
  const blocks = ranges.map((range) => {
    if (range.includes('/')) return ipaddr.parseCIDR(range);
    const address = ipaddr.process(range);
    return [address, address.kind() === 'ipv4' ? 32 : 128] as [ipaddr.IPv4 | ipaddr.IPv6, number];
  });
  return (text) => {
    if (blocks.length === 0) return false;
    const address = ipaddr.process(text);
    return blocks.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits));
  };
}
