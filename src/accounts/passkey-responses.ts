// Reads what a browser answers to a WebAuthn ceremony: JSON of a stranger, until it has been verified.
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { z } from 'zod';
import { parseStrictObject } from '../strict-json.ts';

const bytes = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^[\w-]+$/);
/** At most 1023 bytes (Web Authentication Level 3 §4, credential id). */
const credentialId = bytes(1364);

const head = { id: credentialId, rawId: credentialId, type: z.literal('public-key') };
const noExtensions = z.unknown().transform(() => ({}));

const assertion = z.object({
  ...head,
  clientExtensionResults: noExtensions,
  response: z.object({
    clientDataJSON: bytes(8192),
    authenticatorData: bytes(8192),
    signature: bytes(8192),
    userHandle: bytes(86).nullish(),
  }),
});

const attestation = z.object({
  ...head,
  clientExtensionResults: noExtensions,
  response: z.object({
    clientDataJSON: bytes(8192),
    attestationObject: bytes(32768),
    transports: z
      .array(z.string().regex(/^[a-z-]{1,32}$/))
      .max(8)
      .catch([]),
  }),
});

/** What a browser sent, in the right shape and with the challenge that it names; nothing in it is known to be true. */
export interface ReadResponse<Response> {
  response: Response;
  /** base64url */
  challenge: string;
}

/** Undefined when it is anything but an answer to `navigator.credentials.get()`. */
export function parseAssertion(json: string): ReadResponse<AuthenticationResponseJSON> | undefined {
  return withChallenge(parse(assertion, json) as AuthenticationResponseJSON | undefined);
}

/**
 * Undefined when it is anything but an answer to `navigator.credentials.create()` without certificates. We ask for none
 * (`attestation: 'none'`), and to check some would be to read what strangers wrote, and to fetch from where they say.
 */
export async function parseAttestation(json: string): Promise<ReadResponse<RegistrationResponseJSON> | undefined> {
  const response = parse(attestation, json) as RegistrationResponseJSON | undefined;
  return response && (await isWithoutCertificates(response)) ? withChallenge(response) : undefined;
}

function parse(schema: z.ZodType, json: string): unknown {
  const value = parseStrictObject(Buffer.from(json));
  return value && schema.safeParse(value).data;
}

function withChallenge<Response extends AuthenticationResponseJSON | RegistrationResponseJSON>(
  response: Response | undefined,
): ReadResponse<Response> | undefined {
  if (response === undefined) return undefined;
  const clientData = Buffer.from(response.response.clientDataJSON, 'base64url').toString();
  const challenge = attempt(() => JSON.parse(clientData).challenge);
  return typeof challenge === 'string' ? { response, challenge } : undefined;
}

async function isWithoutCertificates({ response }: RegistrationResponseJSON): Promise<boolean> {
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers');
  const isWithout = attempt(() => {
    const decoded = decodeAttestationObject(Buffer.from(response.attestationObject, 'base64url'));
    const format = decoded.get('fmt');
    return format === 'none' || (format === 'packed' && decoded.get('attStmt').get('x5c') === undefined);
  });
  return isWithout === true;
}

/** Decoders throw at whatever is malformed, and what they decode need not have any members. */
function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
