// Verification, first half: a token whose shape, key or signature is not ours gets one refusal, whatever the cause.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { CompactEncrypt } from 'jose';
import { describe, it } from 'mocha';
import { type SigningAlg, signingAlgs } from '../../src/keys/key-generation.ts';
import {
  createKeySet,
  forge,
  goodClaims,
  hmacSigner,
  keySigner,
  now,
  type Signer,
  sharedSecret,
  sharedSecretIssuer,
  verifierWith,
} from './forgery.ts';

const { keyring, kid, privateKey, publicKey } = await createKeySet();
const verify = verifierWith({ keyring });

const refusal = '{"valid":false,"error":"invalid_token","reason":"unverifiable"}';
async function assertUnverifiable(token: string) {
  assert.equal(JSON.stringify(await verify(token)), refusal);
}

const signers = Object.fromEntries(signingAlgs.map((alg) => [alg, keySigner(alg, privateKey(alg))])) as Record<
  SigningAlg,
  Signer
>;
const es256 = { alg: 'ES256', typ: 'at+jwt', kid: kid('ES256') };
const hs256Claims = goodClaims({ iss: sharedSecretIssuer });
const genuine = forge(es256, goodClaims(), signers.ES256);
const [genuineHeader = '', genuinePayload = '', genuineSignature = ''] = genuine.split('.');
const thief = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** One table of refusals: each token is refused with the same bytes. */
function refuses(title: string, cases: Iterable<readonly [string, string]>) {
  describe(title, () => {
    for (const [name, token] of cases) it(`refuses ${name}`, () => assertUnverifiable(token));
  });
}

describe('verification of genuine tokens', () => {
  for (const alg of signingAlgs) {
    it(`accepts ${alg} by our key`, async () => {
      const token = forge({ alg, typ: 'at+jwt', kid: kid(alg) }, goodClaims(), signers[alg]);
      assert.deepEqual(await verify(token), { valid: true, claims: goodClaims() });
    });
  }

  it('accepts HS256 by the shared secret', async () => {
    const token = forge({ alg: 'HS256', typ: 'at+jwt' }, hs256Claims, hmacSigner(sharedSecret));
    assert.deepEqual(await verify(token), { valid: true, claims: hs256Claims });
  });

  it('accepts what PyJWT makes of the same secret: typ JWT, few claims, spaces in the JSON', async () => {
    const payload = `{"iss": "${sharedSecretIssuer}", "sub": "careergpt-backend", "aud": "logging-service", "iat": ${now}, "exp": ${now + 900}}`;
    const token = forge('{"alg": "HS256", "typ": "JWT"}', payload, hmacSigner(Buffer.from(sharedSecret, 'utf8')));
    assert.deepEqual(await verify(token), { valid: true, claims: JSON.parse(payload) });
  });

  it('accepts every listed shared secret, and the former no more once it is off the list (security.md R61)', async () => {
    const former = 'former shared secret of 32 bytes or more';
    const signedBefore = forge({ alg: 'HS256' }, hs256Claims, hmacSigner(former));
    const overlapping = verifierWith({ keyring, sharedSecrets: [sharedSecret, former] });
    assert.equal((await overlapping(signedBefore)).valid, true);
    assert.equal((await overlapping(forge({ alg: 'HS256' }, hs256Claims, hmacSigner(sharedSecret)))).valid, true);
    await assertUnverifiable(signedBefore);
  });

  it('ignores a kid beside HS256 that names no key of ours', async () => {
    const token = forge({ alg: 'HS256', kid: 'k1' }, hs256Claims, hmacSigner(sharedSecret));
    assert.equal((await verify(token)).valid, true);
  });

  it('accepts a token of 8 KiB', async () => {
    const token = forge(
      es256,
      padClaims((length) => forge(es256, claimsOf(length), signers.ES256).length <= 8192),
      signers.ES256,
    );
    assert.ok(token.length > 8188);
    assert.equal((await verify(token)).valid, true);
  });
});

const claimsOf = (length: number) => goodClaims({ padding: 'x'.repeat(length) });
function padClaims(fits: (length: number) => boolean) {
  let length = 5000;
  while (fits(length + 1)) length++;
  return claimsOf(length);
}

refuses('verification without a signature (RFC 8725 §3.2)', nones());
function* nones(): Iterable<[string, string]> {
  for (const alg of ['none', 'None', 'NONE', 'nOnE', 'none ', '']) {
    const header = { alg, typ: 'at+jwt' };
    yield [`alg "${alg}" with an empty signature`, forge(header, goodClaims(), () => Buffer.alloc(0))];
    yield [`alg "${alg}" with some signature`, forge(header, goodClaims(), () => Buffer.from('signature'))];
    yield [`alg "${alg}" with our kid and signature`, forge({ ...es256, alg }, goodClaims(), signers.ES256)];
  }
  yield ['a genuine token without its signature', `${genuineHeader}.${genuinePayload}.`];
  yield ['a genuine token of two parts', `${genuineHeader}.${genuinePayload}`];
}

refuses('verification of HS256 made with a published key (RFC 8725 §2.1)', publishedKeysAsSecrets());
function* publishedKeysAsSecrets(): Iterable<[string, string]> {
  for (const alg of signingAlgs) {
    for (const [encoding, secret] of encodingsOf(alg)) {
      for (const [hash, hmacAlg] of [
        ['sha256', 'HS256'],
        ['sha512', 'HS512'],
      ]) {
        const signer = hmacSigner(secret, hash);
        for (const header of [{ alg: hmacAlg }, { alg: hmacAlg, kid: kid(alg), typ: 'at+jwt' }]) {
          yield [`${hmacAlg} by the ${alg} key as ${encoding}, kid ${header.kid}`, forge(header, hs256Claims, signer)];
        }
      }
    }
  }
}

function* encodingsOf(alg: SigningAlg): Iterable<[string, string | Uint8Array]> {
  const key = publicKey(alg);
  const pem = key.export({ type: 'spki', format: 'pem' }).toString();
  const der = key.export({ type: 'spki', format: 'der' });
  const jwk = keyring.publicJwks.keys.find((each) => each.kid === kid(alg)) ?? {};
  yield* [
    ['PEM', pem],
    ['PEM without its last newline', pem.trimEnd()],
    ['PEM with CRLF', pem.replaceAll('\n', '\r\n')],
    ['PEM after whitespace', ` \n\t${pem}`],
    ['PEM before whitespace', `${pem} \n`],
    ['PEM on one line', pem.replaceAll('\n', '')],
    ['DER', der],
    ['DER in base64', der.toString('base64')],
    ['published JWK', JSON.stringify(jwk)],
    ['indented JWK', JSON.stringify(jwk, null, 2)],
    ['bare JWK', JSON.stringify(key.export({ format: 'jwk' }))],
    ['JWKS', JSON.stringify(keyring.publicJwks)],
    ['kid', kid(alg)],
    ['first coordinate or modulus', Buffer.from(jwk.x ?? jwk.n ?? '', 'base64url')],
    ['nothing', ''],
  ] as const;
  if (key.asymmetricKeyType === 'rsa') yield ['PKCS #1 PEM', key.export({ type: 'pkcs1', format: 'pem' }).toString()];
}

const withAlg = (alg: unknown, key: SigningAlg, signedAs: string = String(alg)) =>
  forge({ alg, typ: 'at+jwt', kid: kid(key) }, goodClaims(), keySigner(signedAs, privateKey(key)));
refuses('verification of an algorithm that is not the key’s (RFC 8725 §3.1)', [
  ['PS256 by the RS256 key', withAlg('PS256', 'RS256')],
  ['RS256 by the PS256 key', withAlg('RS256', 'PS256')],
  ['RS512 by the RS256 key', withAlg('RS512', 'RS256')],
  ['PS512 by the PS256 key', withAlg('PS512', 'PS256')],
  ['ES384 by the ES256 key', withAlg('ES384', 'ES256')],
  ['ES256K in name', withAlg('ES256K', 'ES256', 'ES256')],
  ['es256 in small letters', withAlg('es256', 'ES256', 'ES256')],
  ['Ed25519, the other name of EdDSA', withAlg('Ed25519', 'EdDSA', 'EdDSA')],
  ['a number as alg', withAlg(256, 'ES256', 'ES256')],
  ['null as alg', withAlg(null, 'ES256', 'ES256')],
  ['an array as alg', withAlg(['ES256'], 'ES256', 'ES256')],
  ['an object as alg', withAlg({ name: 'ES256' }, 'ES256', 'ES256')],
  ['no alg', forge({ typ: 'at+jwt', kid: kid('ES256') }, goodClaims(), signers.ES256)],
  ['__proto__ as alg', withAlg('__proto__', 'ES256', 'ES256')],
  [
    'HS256 by the shared secret under the kid of a key pair',
    forge({ ...es256, alg: 'HS256' }, hs256Claims, hmacSigner(sharedSecret)),
  ],
  ['HS384 by the shared secret', forge({ alg: 'HS384' }, hs256Claims, hmacSigner(sharedSecret, 'sha384'))],
  ['HS512 by the shared secret', forge({ alg: 'HS512' }, hs256Claims, hmacSigner(sharedSecret, 'sha512'))],
]);

const hs256By = (secret: string | Uint8Array) => forge({ alg: 'HS256', typ: 'JWT' }, hs256Claims, hmacSigner(secret));
refuses('verification of a signature that is not ours', [
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
    forge(es256, goodClaims(), (input) => Buffer.concat([signers.ES256(input), Buffer.alloc(1)])),
  ],
]);
function derSignature(input: string): Buffer {
  const raw = signers.ES256(input);
  const integer = (bytes: Buffer) => Buffer.concat([Buffer.of(0x02, bytes.length + 1, 0), bytes]);
  const body = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

const withHeader = (parameters: Record<string, unknown>, signer = signers.ES256) =>
  forge({ ...es256, ...parameters }, goodClaims(), signer);
refuses('verification with crit or b64 (RFC 7515 §4.1.11, RFC 7797 §3)', [
  ['crit naming something unknown', withHeader({ crit: ['urn:example:x'], 'urn:example:x': 1 })],
  ['crit naming a standard parameter', withHeader({ crit: ['alg'] })],
  ['crit naming nothing', withHeader({ crit: [] })],
  ['crit as a string', withHeader({ crit: 'exp' })],
  ['crit as null', withHeader({ crit: null })],
  ['crit with b64', withHeader({ crit: ['b64'], b64: true })],
  ['b64 false with crit', withHeader({ crit: ['b64'], b64: false })],
  ['b64 false alone', withHeader({ b64: false })],
  ['b64 false over a payload that is not encoded', unencodedPayload()],
]);
function unencodedPayload(): string {
  const header = Buffer.from(JSON.stringify({ ...es256, crit: ['b64'], b64: false })).toString('base64url');
  const input = `${header}.${JSON.stringify(goodClaims())}`;
  return `${input}.${signers.ES256(input).toString('base64url')}`;
}

refuses('verification with a kid that is not ours (RFC 8725 §3.10)', strangeKids());
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
    const token = forge({ ...es256, kid: value }, goodClaims(), signers.ES256);
    yield [`${JSON.stringify(value).slice(0, 50)} (${String(value).length} characters)`, token];
  }
  yield ['no kid with a key pair', forge({ alg: 'ES256', typ: 'at+jwt' }, goodClaims(), signers.ES256)];
  for (const value of [0, '', 'k'.repeat(129), null]) {
    const token = forge({ alg: 'HS256', kid: value }, hs256Claims, hmacSigner(sharedSecret));
    yield [`${JSON.stringify(value).slice(0, 9)} beside HS256`, token];
  }
}

refuses('verification of tokens that bring their own key (RFC 8725 §3.10)', ownKeys());
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

refuses('verification of another spelling of a genuine token (RFC 7515 §2)', spellings());
function* spellings(): Iterable<[string, string]> {
  yield ['a newline at its end', `${genuine}\n`];
  yield ['a space before it', ` ${genuine}`];
  yield ['a NUL at its end', `${genuine}\0`];
  yield ['a newline inside', `${genuineHeader}.\n${genuinePayload}.${genuineSignature}`];
  yield ['a Bearer prefix', `Bearer ${genuine}`];
  yield ['a dot more', `${genuine}.`];
  yield ['a dot before', `.${genuine}`];
  yield ['dots alone', '..'];
  yield ['nothing', ''];
  yield ['its last character off', genuine.slice(0, -1)];
  yield ['a fullwidth character', genuine.replace('e', String.fromCharCode('e'.charCodeAt(0) + 0x100))];
  const token = awkwardToken();
  for (const [index, name] of ['header', 'payload', 'signature'].entries()) {
    const respell = (change: (part: string) => string) =>
      token
        .split('.')
        .with(index, change(token.split('.')[index] ?? ''))
        .join('.');
    yield [`padding after the ${name}`, respell((part) => part.padEnd(Math.ceil(part.length / 4) * 4, '='))];
    yield [`spare bits set in the ${name}`, respell(withSpareBits)];
    yield [`a space in the ${name}`, respell((part) => `${part.slice(0, 4)} ${part.slice(4)}`)];
    yield [`base64 for base64url in the ${name}`, respell((part) => part.replaceAll('-', '+').replaceAll('_', '/'))];
  }
}

/** A genuine token each of whose parts has spare bits and the characters that base64 spells otherwise. */
function awkwardToken(): string {
  for (let attempt = 0; attempt < 10_000; attempt++) {
    const filler = 'ÿ¿>?~'.repeat(3) + 'x'.repeat(attempt % 7);
    const token = forge({ ...es256, filler }, goodClaims({ filler, attempt }), signers.ES256);
    if (token.split('.').every((part) => part.length % 4 !== 0 && /-/.test(part) && /_/.test(part))) return token;
  }
  throw new Error('no such token came up');
}

/** The same bytes with the lowest bit of the last character set, which decoders drop. */
function withSpareBits(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const changed = part.slice(0, -1) + alphabet.charAt(alphabet.indexOf(part.slice(-1)) ^ 1);
  assert.deepEqual(Buffer.from(changed, 'base64url'), Buffer.from(part, 'base64url'));
  return changed;
}

describe('the awkward token that the spellings above are made of', () => {
  it('is accepted as it is', async () => assert.equal((await verify(awkwardToken())).valid, true));
});

const headerText = JSON.stringify(es256).slice(0, -1);
const payloadText = JSON.stringify(goodClaims()).slice(0, -1);
const signedText = (header: unknown, payload: unknown) => forge(header, payload, signers.ES256);
refuses('verification of ambiguous or broken JSON under a genuine signature (RFC 7515 §4, RFC 7519 §4)', [
  ['alg twice', signedText(`${headerText},"alg":"ES256"}`, goodClaims())],
  ['kid twice, once by an escape', signedText(`${headerText},"\\u006bid":"${es256.kid}"}`, goodClaims())],
  ['aud twice', signedText(es256, `${payloadText},"aud":"logging-service"}`)],
  ['exp twice', signedText(es256, `${payloadText},"exp":${now + 900}}`)],
  ['a nested member twice', signedText(es256, `${payloadText},"act":{"sub":"a","sub":"b"}}`)],
  ['17 levels', signedText(es256, `${payloadText},"deep":${'['.repeat(16)}${']'.repeat(16)}}`)],
  ['an array as payload', signedText(es256, [goodClaims()])],
  ['a string as payload', signedText(es256, '"claims"')],
  ['null as payload', signedText(es256, 'null')],
  ['text as payload', signedText(es256, 'claims')],
  ['a byte order mark', signedText(es256, `\uFEFF${payloadText}}`)],
  ['a payload that is not UTF-8', signedText(es256, Buffer.from(`${payloadText},"name":"Zoë"}`, 'latin1'))],
  ['a header that is not UTF-8', signedText(Buffer.from(`${headerText},"name":"Zoë"}`, 'latin1'), goodClaims())],
  ['an array as header', signedText([es256], goodClaims())],
  ['a number as typ', signedText({ ...es256, typ: 1 }, goodClaims())],
]);

refuses('verification of what is not a compact JWS', [
  ['a JWE of five parts', await encrypted()],
  [
    'the flattened JSON serialization',
    JSON.stringify({ protected: genuineHeader, payload: genuinePayload, signature: genuineSignature }),
  ],
  [
    'the general JSON serialization',
    JSON.stringify({
      payload: genuinePayload,
      signatures: [{ protected: genuineHeader, signature: genuineSignature }],
    }),
  ],
  ['an opaque token', 'cNSBrzrjJ0UMv1Km9cJmSPUPp0r8oZVVwWH0JeNVcXy'],
  ['a genuine token of more than 8 KiB', forge(es256, claimsOf(8000), signers.ES256)],
]);
function encrypted(): Promise<string> {
  const key = Buffer.alloc(32, sharedSecret);
  return new CompactEncrypt(Buffer.from(genuine))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', cty: 'JWT' })
    .encrypt(key);
}

describe('verification of huge tokens', () => {
  const huge: [string, string][] = [
    ['a payload', `${genuineHeader}.${'A'.repeat(5_000_000)}.${genuineSignature}`],
    ['dots', '.'.repeat(5_000_000)],
    ['a header', forge({ ...es256, kid: 'k'.repeat(3_750_000) }, goodClaims(), signers.ES256)],
  ];
  for (const [name, token] of huge) {
    it(`refuses 5 MB of ${name} within 20 ms`, async () => {
      const start = performance.now();
      await assertUnverifiable(token);
      assert.ok(performance.now() - start <= 20);
    });
  }
});
