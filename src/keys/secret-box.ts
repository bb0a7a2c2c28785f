// Encryption at rest: seals what must not be readable in a copy of the database (AES-256-GCM, NIST SP 800-38D).
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';
import type { SecretBox } from '../store.ts';

/** What was sealed does not open: its encryption key is not listed, its context differs, or it was altered. */
export class UnsealFailed extends Error {
  override name = 'UnsealFailed';
}

const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 6;

/**
 * A box over a list of encryption keys (any strings of at least 32 bytes): the first seals, all open.
 *
 * Sealed text is `v1.KEYID.BODY`, ASCII without spaces; BODY is the base64url of nonce, ciphertext and tag. KEYID is
 * derived from the key and only names it. Nonces are random: one key may seal 2^32 texts before the list wants a new
 * first key (SP 800-38D §8.3). The methods are synchronous, since they run inside database transactions.
 * @throws Error when the list is empty; `open` and `reseal` throw UnsealFailed
 */
export function createSecretBox(encryptionKeys: readonly string[]): SecretBox {
  const keys = new Map<string, KeyObject>();
  for (const encryptionKey of encryptionKeys) keys.set(deriveKeyId(encryptionKey), deriveKey(encryptionKey));
  const [first] = keys;
  if (first === undefined) throw new Error('a secret box needs at least one encryption key');
  const [sealingKeyId, sealingKey] = first;
  const nextNonce = createNonceSource();
  const prefix = `${VERSION}.${sealingKeyId}.`;

  return {
    seal,
    open,
    reseal: (sealed, context) => (sealed.startsWith(prefix) ? sealed : seal(open(sealed, context), context)),
  };

  function seal(plaintext: string, context: string): string {
    return prefix + encrypt(sealingKey, nextNonce(), plaintext, context);
  }

  function open(sealed: string, context: string): string {
    const [version, keyId, body, ...rest] = sealed.split('.');
    if (version !== VERSION || keyId === undefined || body === undefined || rest.length > 0) {
      throw new UnsealFailed('this is not a sealed text');
    }
    const key = keys.get(keyId);
    if (key === undefined) {
      throw new UnsealFailed(
        'sealed with an encryption key that is not listed: put the former ENCRYPTION_KEY back, after the present one',
      );
    }
    return decrypt(key, body, context);
  }
}

function encrypt(key: KeyObject, nonce: Buffer, plaintext: string, context: string): string {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context));
  const ciphertext = cipher.update(plaintext, 'utf8');
  cipher.final();
  return Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]).toString('base64url');
}

function decrypt(key: KeyObject, body: string, context: string): string {
  const bytes = Buffer.from(body, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new UnsealFailed('this sealed text is truncated');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  // The plaintext is not to be believed, and not read, before `final` has checked the tag.
  const plaintext = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    throw new UnsealFailed('this sealed text was altered, or sealed for another row', { cause });
  }
  return plaintext.toString('utf8');
}

/** Random nonces, drawn many at once: one draw costs a third of what sealing a kilobyte does. */
function createNonceSource(): () => Buffer {
  const pool = Buffer.alloc(NONCE_BYTES * 256);
  let used = pool.length;
  return () => {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += NONCE_BYTES;
    return pool.subarray(used - NONCE_BYTES, used);
  };
}

function deriveKey(encryptionKey: string): KeyObject {
  return createSecretKey(derive(encryptionKey, 'identity-backend encryption at rest', KEY_BYTES));
}

function deriveKeyId(encryptionKey: string): string {
  return derive(encryptionKey, 'identity-backend encryption key id', KEY_ID_BYTES).toString('base64url');
}

function derive(encryptionKey: string, info: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', encryptionKey, '', info, length));
}
