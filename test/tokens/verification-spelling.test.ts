// Verification of odd spellings: a genuine signature does not excuse another form of a token.
import assert from 'node:assert/strict';
import { CompactEncrypt } from 'jose';
import { describe, it } from 'mocha';
import { createKeySet, forge, goodClaims, now, sharedSecret, verifierWith } from './forgery.ts';
import { assertUnverifiable, refuses } from './refusal-table.ts';

const { keyring, header: headerOf, signer } = await createKeySet();
const verify = verifierWith({ keyring });
const es256 = headerOf('ES256');
const byUs = signer('ES256');

const genuine = forge(es256, goodClaims(), byUs);
const [genuineHeader = '', genuinePayload = '', genuineSignature = ''] = genuine.split('.');

const claimsOf = (length: number) => goodClaims({ padding: 'x'.repeat(length) });
function padClaims(fits: (length: number) => boolean) {
  let length = 5000;
  while (fits(length + 1)) length++;
  return claimsOf(length);
}

const withHeader = (parameters: Record<string, unknown>, signer = byUs) =>
  forge({ ...es256, ...parameters }, goodClaims(), signer);
refuses('verification with crit or b64 (RFC 7515 §4.1.11, RFC 7797 §3)', verify, [
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
  return `${input}.${byUs(input).toString('base64url')}`;
}

refuses('verification of another spelling of a genuine token (RFC 7515 §2)', verify, spellings());
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
    const token = forge({ ...es256, filler }, goodClaims({ filler, attempt }), byUs);
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
const signedText = (header: unknown, payload: unknown) => forge(header, payload, byUs);
refuses('verification of ambiguous or broken JSON under a genuine signature (RFC 7515 §4, RFC 7519 §4)', verify, [
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

refuses('verification of what is not a compact JWS', verify, [
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
  ['a genuine token of more than 8 KiB', forge(es256, claimsOf(8000), byUs)],
]);
function encrypted(): Promise<string> {
  const key = Buffer.alloc(32, sharedSecret);
  return new CompactEncrypt(Buffer.from(genuine))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', cty: 'JWT' })
    .encrypt(key);
}

describe('verification of long tokens', () => {
  it('accepts a token of 8 KiB', async () => {
    const token = forge(
      es256,
      padClaims((length) => forge(es256, claimsOf(length), byUs).length <= 8192),
      byUs,
    );
    assert.ok(token.length > 8188);
    assert.equal((await verify(token)).valid, true);
  });
});

describe('verification of huge tokens', () => {
  const huge: [string, string][] = [
    ['a payload', `${genuineHeader}.${'A'.repeat(5_000_000)}.${genuineSignature}`],
    ['dots', '.'.repeat(5_000_000)],
    ['a header', forge({ ...es256, kid: 'k'.repeat(3_750_000) }, goodClaims(), byUs)],
  ];
  for (const [name, token] of huge) {
    it(`refuses 5 MB of ${name} within 20 ms, the best of five since the machine may be busy`, async () => {
      const times: number[] = [];
      for (let attempt = 0; attempt < 5; attempt++) {
        const start = performance.now();
        assertUnverifiable(await verify(token));
        times.push(performance.now() - start);
      }
      assert.ok(Math.min(...times) <= 20);
    });
  }
});
