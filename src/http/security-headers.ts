// The headers that keep what we answer from being framed, sniffed, cached, or pointed at another site.

type Headers = Record<string, string>;

const EVERYWHERE: Headers = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** What a page may load and where it may lead, beside its stylesheet. */
export interface PageSources {
  /**
   * URIs to which answering the page's form may redirect: the client's redirect URI, on the sign-in, consent and logout
   * pages
   */
  formAction?: readonly string[];
  /** addresses of the images on the page: the client's logo */
  imgSrc?: readonly string[];
  /** CSP source of the inline script, where there is one */
  scriptHash?: string;
  /** addresses of the scripts on the page, each of which alone may run */
  scriptSrc?: readonly string[];
}

/**
 * Headers of an HTML page (RFC 9700 §4.16): the one stylesheet, no script but those named, no frame, no cache.
 *
 * There is no Cross-Origin-Opener-Policy on purpose: it would cut a sign-in opened in a popup off from the window that
 * waits for it.
 * @param styleSrc address of the stylesheet, which alone may be one
 */
export function createPageHeaders(styleSrc: string): (page: PageSources) => Headers {
  const styles = `style-src ${styleSource(styleSrc)}`;
  return (page) => ({
    ...EVERYWHERE,
    'Content-Security-Policy': [
      "default-src 'none'",
      styles,
      ...(page.scriptHash ? [`script-src '${page.scriptHash}'`] : []),
      ...(page.scriptSrc?.length ? [sources('script-src', page.scriptSrc, scriptSource)] : []),
      sources('img-src data:', page.imgSrc, originSource),
      sources("form-action 'self'", page.formAction, schemeSource),
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  });
}

/**
 * Headers of an answer for programs: JSON, plain text, an empty body.
 *
 * `script-src` is there, and empty, because oidc-provider adds the hash of its `form_post` script to that directive and
 * to no other: without it, that page (also the answer to a logout without a session) would be blocked and stay blank.
 * https://github.com/panva/node-oidc-provider/blob/v9.13.3/lib/helpers/script_src_sha.js
 */
export function apiHeaders(): Headers {
  const policy = "default-src 'none'; script-src; base-uri 'none'; frame-ancestors 'none'";
  return { ...EVERYWHERE, 'Content-Security-Policy': policy };
}

function sources(directive: string, uris: readonly string[] = [], source: (uri: URL) => string | undefined): string {
  const found = uris.map((uri) => URL.parse(uri)).map((uri) => uri && source(uri));
  return [...new Set([directive, ...found.filter(Boolean)])].join(' ');
}

/** `scheme://host[:port]`. A URL's host may hold `;` and `'`, which would end a directive: such a host is left out. */
function originSource({ protocol, host, origin }: URL): string | undefined {
  return isWeb(protocol) && /^[\w.-]+(:\d+)?$/.test(host) ? origin : undefined;
}

/** The whole address, so that nothing else of the same origin is a script. */
function scriptSource(uri: URL): string | undefined {
  return originSource(uri) && /^[\w./~-]+$/.test(uri.pathname) ? uri.origin + uri.pathname : undefined;
}

/**
 * As `scriptSource`. `http` is development on this machine, which answers to more names than its issuer's; and CSP cannot
 * name every https issuer either, such as an IPv6 address.
 */
function styleSource(address: string): string {
  const uri = new URL(address);
  return (uri.protocol === 'https:' && scriptSource(uri)) || "'self'";
}

/**
 * The scheme alone. Chromium holds every redirect after a form's POST to `form-action`, those of the client's own
 * callback included, so an origin would leave the end-user on a dead page whenever a callback on one host sends the
 * browser on to another; and CSP cannot name an IPv6 address at all. A private-use scheme (RFC 8252 §7.1) has a dot,
 * which `javascript:` and `data:` have not.
 */
function schemeSource({ protocol }: URL): string | undefined {
  return isWeb(protocol) || protocol.includes('.') ? protocol : undefined;
}

function isWeb(protocol: string): boolean {
  return protocol === 'https:' || protocol === 'http:';
}
