// Where requests come from and where they go, as the issuer and the trusted proxies let them say it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Stands for the address of a peer that is gone. */
const NO_ADDRESS = '0.0.0.0';
/** Headers by which proxies tell of the request that they pass on. */
export const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'];

export interface ArrivalOptions {
  /** the OIDC issuer */
  issuer: string;
  /** addresses and CIDR ranges whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed */
  trustedProxies: readonly string[];
}

/** What a request is by its socket and its headers, before anything of it was changed. */
export interface Arrival {
  /** rooted, without the issuer's prefix, with its query; undefined when the request target is not one (RFC 9112 §3.2) */
  readonly target: string | undefined;
  /** exactly one Host header, or none in HTTP/1.0 */
  readonly namesHost: boolean;
  readonly peer: Peer;
  /** the caller's address, as far as the trusted proxies say */
  readonly address: string;
  /** over plain http, though the issuer is https: only probes, and programs on this machine, may do that */
  readonly insecure: boolean;
  /** from this machine, and not through a proxy */
  readonly sameMachine: boolean;
}

/** Answers a request, and resolves when nothing is left to do for it but to send. */
export type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Looks at requests without changing them. */
export function createArrivals({ issuer, trustedProxies }: ArrivalOptions): (req: IncomingMessage) => Arrival {
  const { protocol, pathname } = new URL(issuer);
  const prefix = pathname === '/' ? '' : pathname;
  const trusts = createAddressMatcher(trustedProxies);

  return function arrivalOf(req) {
    const hosts = countHeaders(req, 'host');
    const peer = peerOf(req, trusts);
    return {
      target: relativeTarget(req.url ?? '/', prefix),
      namesHost: hosts === 1 || (hosts === 0 && req.httpVersion !== '1.1'),
      peer,
      address: peer.trusted ? forwardedAddress(req, peer, trusts) : peer.address,
      insecure: protocol === 'https:' && !(peer.trusted && isForwardedSecurely(req.headers['x-forwarded-proto'], peer)),
      sameMachine: isLoopback(peer.address) && !peer.unix && !FORWARDED.some((name) => req.headers[name] !== undefined),
    };
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

/** Who is at the other end of the socket. */
export interface Peer {
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
  if (isIP(text) === 0) return undefined;
  // without its zone, which means nothing elsewhere, and of whose names Node knows more than `ipaddr.js`
  return ipaddr.process(text.replace(/%.*/s, '')).toString();
}

/** @param address in its one spelling */
function isLoopback(address: string): boolean {
  return address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);
}

function createAddressMatcher(ranges: readonly string[]): (address: string) => boolean {
  // the usual proxies, without parsing
  const single = new Set(ranges.map(canonicalAddress));
  const blocks = ranges.filter((range) => range.includes('/')).map((range) => ipaddr.parseCIDR(range));
  return (text) => {
    if (single.has(text)) return true;
    if (blocks.length === 0) return false;
    const address = ipaddr.process(text);
    return blocks.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits));
  };
}
