// Which addresses a URL that somebody else chose may lead to: those of the public internet only (RFC 6890).
import { lookup as resolve } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Global unicast (RFC 4291 §2.4): what else IPv6 has, embeds IPv4 addresses or stays inside. */
const globalUnicast = ipaddr.parseCIDR('2000::/3');

/** An address as text that the internet routes: not loopback, private, link-local, or any other special use. */
export function isPublicAddress(text: string): boolean {
  if (isIP(text) === 0) return false;
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(globalUnicast);
}

/**
 * Resolves names for a connection, and fails when any of the answers is not public. The connection is made to the very
 * addresses that were checked, so an answer that changes afterwards changes nothing.
 * @param lookup the system's, unless a test answers itself
 */
export function createPublicLookup(lookup: typeof resolve = resolve): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      const allPublic = first !== undefined && addresses.every(({ address }) => isPublicAddress(address));
      if (error || !allPublic) callback(error ?? new Error('the name does not resolve to public addresses'), []);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
