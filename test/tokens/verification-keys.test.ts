// Verification against keys that are not ours, however they are presented.
import { generateKeyPairSync } from 'node:crypto';
import {
  createKeySet,
  forge,
  goodClaims,
  hmacSigner,
  keySigner,
  sharedSecret,
  sharedSecretIssuer,
  verifierWith,
} from './forgery.ts';
import { refuses } from './refusal-table.ts';

const { keyring, kid, header: headerOf, signer } = await createKeySet();
const verify = verifierWith({ keyring });
const es256 = headerOf('ES256');
const byUs = signer('ES256');

const hs256Claims = goodClaims({ iss: sharedSecretIssuer });

const genuine = forge(es256, goodClaims(), byUs);
const [genuineHeader = '', genuinePayload = '', genuineSignature = ''] = genuine.split('.');

const thief = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const hs256By = (secret: string | Uint8Array) => forge({ alg: 'HS256', typ: 'JWT' }, hs256Claims, hmacSigner(secret));
refuses('verification of a signature that is not ours', verify, [
  ['a stranger’s key under our kid', forge(es256, goodClaims(), keySigner('ES256', thief.privateKey))],
  ['another secret', hs256By('another secret of 32 bytes or more, 33')],
  ['the shared secret with a newline', hs256By(`${sharedSecret}\n`)],
  ['the shared secret in Latin-1', hs256By(Buffer.from(sharedSecret, 'latin1'))],
  ['the shared secret without its last character', hs256By(sharedSecret.slice(0, -1))],
  ['an empty secret', hs256By('')],
  [
    'other claims under a genuine signature',
    `${genuineHeader}.${Buffer.from(JSON.stringify(goodClaims({ sub: 'root' }))).toString('base64url')}.${genuineSignature}`,
  ],
  [
    'another header under a genuine signature',
    `${Buffer.from(JSON.stringify({ ...es256, typ: 'JWT' })).toString('base64url')}.${genuinePayload}.${genuineSignature}`,
  ],
  ['a signature in DER', forge(es256, goodClaims(), (input) => derSignature(input))],
  ['a signature of zeros (r = s = 0)', forge(es256, goodClaims(), () => Buffer.alloc(64))],
  [
    'a signature with a byte more',
    forge(es256, goodClaims(), (input) => Buffer.concat([byUs(input), Buffer.alloc(1)])),
  ],
]);
function derSignature(input: string): Buffer {
  const raw = byUs(input);
  const integer = (bytes: Buffer) => Buffer.concat([Buffer.of(0x02, bytes.length + 1, 0), bytes]);
  const body = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

const withHeader = (parameters: Record<string, unknown>, signer = byUs) =>
  forge({ ...es256, ...parameters }, goodClaims(), signer);
refuses('verification with a kid that is not ours (RFC 8725 §3.10)', verify, strangeKids());
function* strangeKids(): Iterable<[string, string]> {
  const strings = [
    '',
    '../../../../dev/null',
    "' OR 1=1 --",
    'https://thief.example/jwks',
    '__proto__',
    'constructor',
    'toString',
    'undefined',
    `${kid('ES256')} `,
    `${kid('ES256')}\0`,
    kid('ES256').toUpperCase(),
    kid('RS256'),
    'k'.repeat(129),
    'k'.repeat(100_000),
  ];
  for (const value of [...strings, 0, true, null, [kid('ES256')], { kid: kid('ES256') }]) {
    const token = forge({ ...es256, kid: value }, goodClaims(), byUs);
    yield [`${JSON.stringify(value).slice(0, 50)} (${String(value).length} characters)`, token];
  }
  yield ['no kid with a key pair', forge({ alg: 'ES256', typ: 'at+jwt' }, goodClaims(), byUs)];
  for (const value of [0, '', 'k'.repeat(129), null]) {
    const token = forge({ alg: 'HS256', kid: value }, hs256Claims, hmacSigner(sharedSecret));
    yield [`${JSON.stringify(value).slice(0, 9)} beside HS256`, token];
  }
}

refuses('verification of tokens that bring their own key (RFC 8725 §3.10)', verify, ownKeys());
function* ownKeys(): Iterable<[string, string]> {
  const byThief = keySigner('ES256', thief.privateKey);
  const jwk = thief.publicKey.export({ format: 'jwk' });
  const x5c = [thief.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')];
  const url = 'http://127.0.0.1:9/keys';
  for (const [name, value] of Object.entries({ jwk, x5c, jku: url, x5u: url })) {
    yield [`${name} with our kid`, withHeader({ [name]: value }, byThief)];
    yield [`${name} without a kid`, forge({ alg: 'ES256', typ: 'at+jwt', [name]: value }, goodClaims(), byThief)];
    yield [`${name} though our key signed`, withHeader({ [name]: value })];
  }
}
