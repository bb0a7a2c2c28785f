// Behaviour of encryption at rest.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { createSecretBox, UnsealFailed } from '../../src/keys/secret-box.ts';

const present = 'present encryption key of 32 bytes and more';
const former = 'former encryption key of 32 bytes and more';
const context = 'Session:aGFzaA';

describe('secret box', () => {
  const box = createSecretBox([present]);

  for (const plaintext of ['', 'a', '{"kty":"OKP"}', 'Zoë 𝄞 \0 \n', 'x'.repeat(100_000)]) {
    it(`opens what it sealed (${plaintext.length} characters)`, () => {
      assert.equal(box.open(box.seal(plaintext, context), context), plaintext);
    });
  }

  it('seals the same text differently each time, for more texts than one draw of nonces', () => {
    const sealed = new Set(Array.from({ length: 1000 }, () => box.seal('same', context)));
    assert.equal(sealed.size, 1000);
    for (const text of sealed) assert.equal(box.open(text, context), 'same');
  });

  it('shows neither the plaintext, nor the context, nor the encryption key', () => {
    const sealed = box.seal('the plaintext', context);
    const bytes = sealed + Buffer.from(sealed.split('.')[2] ?? '', 'base64url').toString('latin1');
    for (const secret of ['the plaintext', context, present]) assert.ok(!bytes.includes(secret));
  });

  it('opens with a second box over the same key, as after a restart', () => {
    assert.equal(createSecretBox([present]).open(box.seal('kept', context), context), 'kept');
  });

  it('opens what a former key sealed, and seals with the first', () => {
    const sealedBefore = createSecretBox([former]).seal('old', context);
    const rotated = createSecretBox([present, former]);
    assert.equal(rotated.open(sealedBefore, context), 'old');
    assert.equal(box.open(rotated.seal('new', context), context), 'new');
  });

  it('names ENCRYPTION_KEY, and no key, when the key that sealed is not listed', () => {
    const sealed = createSecretBox([former]).seal('lost', context);
    assert.throws(
      () => box.open(sealed, context),
      (error: Error) =>
        error instanceof UnsealFailed &&
        error.message.includes('ENCRYPTION_KEY') &&
        !error.message.includes(former) &&
        !error.message.includes(present),
    );
  });

  it('does not open in another context', () => {
    const sealed = box.seal('bound', context);
    for (const other of ['Session:aGFzaB', 'Grant:aGFzaA', '', `${context} `]) {
      assert.throws(() => box.open(sealed, other), UnsealFailed);
    }
  });

  it('does not open when any one bit of nonce, ciphertext or tag is altered', () => {
    const [version, keyId, body] = box.seal('intact', context).split('.');
    const bytes = Buffer.from(body ?? '', 'base64url');
    assert.equal(bytes.length, 12 + 6 + 16);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const altered = Buffer.from(bytes);
      altered.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.throws(() => box.open(`${version}.${keyId}.${altered.toString('base64url')}`, context), UnsealFailed);
    }
  });

  it('does not open under the id of another listed key', () => {
    const both = createSecretBox([present, former]);
    const [, formerId] = createSecretBox([former]).seal('', context).split('.');
    const [version, , body] = box.seal('text', context).split('.');
    assert.throws(() => both.open(`${version}.${formerId}.${body}`, context), UnsealFailed);
  });

  const sealed = box.seal('shape', context);
  const [version, keyId, body = ''] = sealed.split('.');
  const notSealed: [string, string][] = [
    ['nothing', ''],
    ['plain text', 'shape'],
    ['another version', `v2.${keyId}.${body}`],
    ['no body', `${version}.${keyId}`],
    ['an empty body', `${version}.${keyId}.`],
    ['a body without room for a tag', `${version}.${keyId}.${body.slice(0, 36)}`],
    ['a shortened body', sealed.slice(0, -4)],
    ['a part too many', `${sealed}.`],
  ];
  for (const [name, text] of notSealed) {
    it(`refuses ${name}`, () => assert.throws(() => box.open(text, context), UnsealFailed));
  }

  it('refuses an empty list of keys', () => assert.throws(() => createSecretBox([]), /at least one encryption key/));
});
