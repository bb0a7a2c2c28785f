// Knows the sign-ins that are like most, before Koa has looked at them.
import type { IncomingMessage } from 'node:http';
import { type ArrivalOptions, createArrivals } from '../src/http/arrivals.ts';
import { isForeignForm } from '../src/http/form-guard.ts';
import { mayNameLocales } from '../src/http/languages.ts';
import type { KnownDevices } from '../src/provider/known-devices.ts';

export interface PlainSignInOptions extends ArrivalOptions {
  knownDevices: Pick<KnownDevices, 'mayBeNamed'>;
}

export interface PlainSignIn {
  /** relative to the issuer */
  path: string;
  query: string;
  /** the caller's, as far as the trusted proxies say */
  address: string;
}

/** Characters of a target that browsers do not send, and that Koa understands in its own way. */
const OF_NO_BROWSER = /[#\\]/;

/** Whether names and passwords are posted there: `/login/:uid`. */
export function isSignInPath(path: string): boolean {
  return /^\/login\/[^/]+$/.test(path);
}

/** What such a request is; undefined for anything about which Koa, and what it leads to, might have something else to say. */
export function createPlainSignIns(options: PlainSignInOptions): (request: IncomingMessage) => PlainSignIn | undefined {
  const arrivalOf = createArrivals(options);
  return function plainSignInOf(request) {
    if (request.method !== 'POST') return undefined;
    const { target, namesHost, insecure, address } = arrivalOf(request);
    if (target === undefined || !namesHost || insecure || OF_NO_BROWSER.test(target)) return undefined;
    const [path = '', query = ''] = target.split(/\?(.*)/s, 2);
    if (!isSignInPath(path) || mayNameLocales(query)) return undefined;
    if (isForeignForm(request, options.issuer) || options.knownDevices.mayBeNamed(request)) return undefined;
    return { path, query, address };
  };
}
