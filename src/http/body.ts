// Reads request bodies strictly: forms and JSON, nothing else.
import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import { errors } from 'oidc-provider';
import { parseStrictObject } from '../strict-json.ts';
import { isAnnounced, readBytes, UnacceptableBody } from './body-bytes.ts';

/** Most parameters of one form or query. */
const MAX_PARAMETERS = 200;

const MAX_JSON_MEMBERS = 100;
/** A JWT is the longest string that we take, and has its own limit of as much. */
const MAX_JSON_STRING = 8 * 1024;

/** Parameters as sent: a name that was repeated has all its values. */
export type Parameters = Record<string, string | string[]>;

/** `form` or `json` by the content type alone; never guessed. @throws UnacceptableBody (415) */
export function bodyKind({ req: { headers } }: Pick<Context, 'req'>): 'form' | 'json' {
  if (isEncoded(headers)) throw new UnacceptableBody(415, 'encoded request bodies are not supported');
  const kind = kindOf(headers);
  if (kind === undefined) {
    throw new UnacceptableBody(415, 'the content type must be application/x-www-form-urlencoded or application/json');
  }
  return kind;
}

/** What is announced of a body that can be received as it is; undefined when it is unusual or not acceptable. */
export function announcedKind({ headers }: IncomingMessage): 'form' | 'json' | undefined {
  return isAnnounced(headers) && !isEncoded(headers) ? kindOf(headers) : undefined;
}

function isEncoded({ 'content-encoding': encoding = '' }: IncomingHttpHeaders): boolean {
  return encoding !== '' && encoding.toLowerCase() !== 'identity';
}

function kindOf({ 'content-type': type = '' }: IncomingHttpHeaders): 'form' | 'json' | undefined {
  switch (type.split(';', 1)[0]?.trim().toLowerCase()) {
    case 'application/x-www-form-urlencoded':
      return 'form';
    case 'application/json':
      return 'json';
    default:
      return undefined;
  }
}

/**
 * The parameters of a form, none of which may be there twice, in the query neither.
 * @throws UnacceptableBody (413, 415), errors.InvalidRequest
 */
export async function readForm(ctx: Context): Promise<Parameters> {
  if (bodyKind(ctx) !== 'form') throw new errors.InvalidRequest('only form bodies are accepted here');
  const parameters = parseForm(await readBytes(ctx));
  refuseRepetition(parameters, parseParameters(ctx.querystring));
  return parameters;
}

/** @throws errors.InvalidRequest when it is not UTF-8, or not properly encoded */
export function parseForm(bytes: Buffer): Parameters {
  if (!isUtf8(bytes)) throw new errors.InvalidRequest('the request body is not valid UTF-8');
  return parseParameters(bytes.toString());
}

/**
 * Waits until the body of a form has arrived; reading the form waits for its sender no more.
 * @throws UnacceptableBody (413, 415), errors.InvalidRequest
 */
export async function receiveForm(ctx: Context): Promise<void> {
  if (bodyKind(ctx) === 'form') await readBytes(ctx);
}

/**
 * No parameter may be there twice, whether we know it or not (RFC 6749 §3.1, §3.2), but `resource` (RFC 8707 §2).
 * @param query parameters of the same request elsewhere, of which none may be among them
 * @throws errors.InvalidRequest
 */
export function refuseRepetition(parameters: Parameters, query: Parameters = {}): void {
  const repeated = Object.entries(parameters).some(([name, value]) => Array.isArray(value) && name !== 'resource');
  if (repeated || Object.keys(query).some((name) => name in parameters)) {
    throw new errors.InvalidRequest('parameters must not be provided twice');
  }
}

/**
 * A JSON object (RFC 8259) without duplicate members, at most 16 deep, with at most 100 members, whose strings are
 * well-formed Unicode without NUL.
 * @throws UnacceptableBody (413), errors.InvalidRequest
 */
export async function readJson(ctx: Context): Promise<Record<string, unknown>> {
  const body = parseStrictObject(await readBytes(ctx));
  if (body === undefined || !isModest(body)) throw new errors.InvalidRequest('the request body is not acceptable JSON');
  return body;
}

/** Few members; short and plain strings, also in lists: nothing that we take as JSON needs more. */
function isModest(body: Record<string, unknown>): boolean {
  const names = Object.keys(body);
  return names.length <= MAX_JSON_MEMBERS && names.every((name) => isPlain(name) && isModestValue(body[name]));
}

function isModestValue(value: unknown): boolean {
  if (typeof value === 'string') return isPlain(value);
  return !Array.isArray(value) || value.every((part) => typeof part !== 'string' || isPlain(part));
}

function isPlain(text: string): boolean {
  return text.length <= MAX_JSON_STRING && text.isWellFormed() && !text.includes('\0');
}

/** Parses `application/x-www-form-urlencoded`. @throws errors.InvalidRequest when an escape is malformed */
export function parseParameters(text: string): Parameters {
  const parameters: Parameters = Object.create(null);
  if (text === '') return parameters;
  const pairs = text.split('&');
  if (pairs.length > MAX_PARAMETERS) throw new errors.InvalidRequest('too many parameters');
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = decode(at === -1 ? pair : pair.slice(0, at));
    if (name === '') continue;
    const value = decode(at === -1 ? '' : pair.slice(at + 1));
    const earlier = parameters[name];
    parameters[name] = earlier === undefined ? value : [earlier, value].flat();
  }
  return parameters;
}

/** The inverse of {@link parseParameters}. */
export function formatParameters(parameters: Parameters): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) search.append(name, one);
  }
  return search.toString();
}

function decode(text: string): string {
  let value: string;
  try {
    value = decodeURIComponent(text.replaceAll('+', ' '));
  } catch (cause) {
    throw new errors.InvalidRequest('a parameter is not properly encoded', undefined, { cause });
  }
  if (value.includes('\0')) throw new errors.InvalidRequest('a parameter contains a NUL character');
  return value;
}
