// Fetches JSON documents from URLs that others chose: https, public addresses, no redirects, small and soon (R65, R66).
import type { lookup as resolve } from 'node:dns';
import { Agent, get } from 'node:https';
import { isIP } from 'node:net';
import { createPublicLookup, isPublicAddress } from './public-addresses.ts';

const TIMEOUT_MS = 2_500;
const MAX_BYTES = 64 * 1024;
const MAX_CONNECTIONS = 10;
const HEADERS = { accept: 'application/json', 'user-agent': '' };

/** A document that could not be had; the message is for the operator. */
export class FetchFailed extends Error {
  override name = 'FetchFailed';
}

/** @throws FetchFailed */
export type FetchDocument = (url: string) => Promise<unknown>;

/** What answers a request: its status and its body as it arrives. */
interface Answer {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** @param lookup answers names in tests */
export function createDocumentFetcher({ lookup }: { lookup?: typeof resolve } = {}): FetchDocument {
  const agent = new Agent({ maxSockets: MAX_CONNECTIONS, keepAlive: false });
  const publicLookup = createPublicLookup(lookup);
  return createFetcher(isPublicTarget, (url, signal) => {
    return new Promise<Answer>((answer, reject) => {
      const request = get(url, { agent, lookup: publicLookup, headers: HEADERS, signal }, (response) =>
        answer({ status: response.statusCode ?? 0, body: response }),
      );
      request.on('error', reject);
    });
  });
}

/** The same by somebody else's `fetch`, which may also reach plain http on this machine: for tests. */
export function createDocumentFetcherBy(fetch: (url: string, init: RequestInit) => Promise<Response>): FetchDocument {
  return createFetcher(isHttp, async (url, signal) => {
    const response = await fetch(url.href, { redirect: 'manual', headers: HEADERS, signal });
    return { status: response.status, body: response.body ?? noBody() };
  });
}

function createFetcher(
  isAllowed: (url: URL) => boolean,
  request: (url: URL, signal: AbortSignal) => Promise<Answer>,
): FetchDocument {
  return async function fetchDocument(text) {
    const url = URL.parse(text);
    if (url === null || url.username || url.password || url.hash || !isAllowed(url)) {
      throw new FetchFailed('the URL is not a public https URL');
    }
    try {
      const { status, body } = await request(url, AbortSignal.timeout(TIMEOUT_MS));
      if (status !== 200) throw new FetchFailed(`${url.host} answered ${status}`);
      return JSON.parse(await readText(body));
    } catch (cause) {
      if (cause instanceof FetchFailed) throw cause;
      throw new FetchFailed(`${url.host} could not be read`, { cause });
    }
  };
}

/** Leaving the loop destroys the stream, and the connection with it. */
async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new FetchFailed(`the document has more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}

/** Names are checked when they are resolved; the URL parser has put every spelling of an address into one. */
function isPublicTarget({ protocol, hostname }: URL): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
  return protocol === 'https:' && (isIP(address) === 0 || isPublicAddress(address));
}

function isHttp({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:';
}

async function* noBody(): AsyncIterable<Uint8Array> {}
