// The encrypted file of a backup: one readable line, then sealed chunks in a fixed order, the last of them marked.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

/** The backup cannot be made, or is not one that can be used; the message says what to do. */
export class BackupRefused extends Error {
  override name = 'BackupRefused';
}

/** The first line is `identity-backup v1 KEYID SALT`, always as long. */
const MAGIC = 'identity-backup ';
const VERSION = 'v1';
const KEY_ID_BYTES = 6;
const SALT_BYTES = 16;
const HEADER_BYTES = `${MAGIC}${VERSION} `.length + 8 + 1 + 22 + 1;

const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;

/** Set in the length of the last chunk, which is the manifest. */
const LAST = 0x8000_0000;

/**
 * Writes the data and then the manifest, which is asked for after the data; answers with it.
 *
 * Each file has a key of its own, by HKDF from the first encryption key and a random salt, so nonces can be counted: a
 * nonce is the number of the chunk and its length with the mark of the last one. A chunk that was moved, left out, cut
 * or added does not open, and neither does one under another header (AES-256-GCM, NIST SP 800-38D).
 * @param file open for writing, empty
 */
export async function encryptBackup<Manifest extends object>(
  file: FileHandle,
  encryptionKeys: readonly string[],
  data: AsyncIterable<Uint8Array>,
  createManifest: () => Manifest,
): Promise<Manifest> {
  const [encryptionKey] = encryptionKeys;
  if (encryptionKey === undefined) throw new Error('a backup needs an encryption key');
  const salt = randomBytes(SALT_BYTES);
  const header = Buffer.from(`${MAGIC}${VERSION} ${keyIdOf(encryptionKey)} ${salt.toString('base64url')}\n`);
  const key = fileKey(encryptionKey, salt);
  let count = 0;

  async function write(chunk: Uint8Array, mark: number): Promise<void> {
    const length = Buffer.alloc(4);
    length.writeUInt32BE((mark | chunk.length) >>> 0);
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(count, length), { authTagLength: TAG_BYTES });
    cipher.setAAD(header);
    const sealed = [cipher.update(chunk), cipher.final()];
    await file.appendFile(Buffer.concat([length, ...sealed, cipher.getAuthTag()]));
    count += 1;
  }

  await file.appendFile(header);
  for await (const piece of data) {
    for (let start = 0; start < piece.length; start += CHUNK_BYTES) {
      await write(piece.subarray(start, start + CHUNK_BYTES), 0);
    }
  }
  const manifest = createManifest();
  const last = Buffer.from(JSON.stringify(manifest));
  if (last.length > CHUNK_BYTES) throw new Error('the manifest of the backup is too long');
  await write(last, LAST);
  return manifest;
}

/**
 * Hands over the data piece by piece, each of them authentic, and answers with the manifest once everything was there.
 * Until then, what was handed over may be only a part.
 * @throws BackupRefused
 */
export async function decryptBackup(
  file: FileHandle,
  encryptionKeys: readonly string[],
  take: (piece: Buffer) => Promise<void>,
): Promise<unknown> {
  const header = await readUpTo(file, HEADER_BYTES);
  const key = keyFor(header, encryptionKeys);
  for (let count = 0; ; count += 1) {
    const length = await readUpTo(file, 4);
    if (length.length < 4) throw new BackupRefused('the backup is cut off: use another copy');
    const last = length.readUInt32BE() >= LAST;
    const size = length.readUInt32BE() % LAST;
    const sealed = await readUpTo(file, size > CHUNK_BYTES ? 0 : size + TAG_BYTES);
    const piece = open(sealed, size, key, nonceOf(count, length), header);
    if (!last) {
      await take(piece);
      continue;
    }
    if ((await readUpTo(file, 1)).length > 0) throw new BackupRefused('the backup was altered: use another copy');
    return JSON.parse(piece.toString());
  }
}

/** Whether a file that begins with these bytes is a backup of ours, of whatever version. */
export function isBackup(beginning: Buffer): boolean {
  return beginning.toString('latin1', 0, MAGIC.length) === MAGIC;
}

function keyFor(header: Buffer, encryptionKeys: readonly string[]): Buffer {
  if (!isBackup(header)) throw new BackupRefused('this file is not a backup of this program');
  const [, version, keyId, salt = ''] = header.toString('latin1').trimEnd().split(' ');
  if (version !== VERSION)
    throw new BackupRefused(`this backup is of a format (${version}) that a newer version reads`);
  const encryptionKey = encryptionKeys.find((key) => keyIdOf(key) === keyId);
  if (encryptionKey === undefined) {
    throw new BackupRefused(
      'this backup was made with an encryption key that is not listed: put the ENCRYPTION_KEY of that time back, after the present one',
    );
  }
  return fileKey(encryptionKey, Buffer.from(salt, 'base64url'));
}

function open(sealed: Buffer, size: number, key: Buffer, nonce: Buffer, header: Buffer): Buffer {
  if (sealed.length < size + TAG_BYTES) throw new BackupRefused('the backup is cut off or altered: use another copy');
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(header);
  decipher.setAuthTag(sealed.subarray(size));
  const piece = decipher.update(sealed.subarray(0, size));
  try {
    decipher.final();
  } catch (cause) {
    throw new BackupRefused('the backup was altered: use another copy', { cause });
  }
  return piece;
}

/** Fewer bytes at the end of the file only. */
async function readUpTo(file: FileHandle, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function nonceOf(count: number, length: Buffer): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(count));
  length.copy(nonce, 8);
  return nonce;
}

function fileKey(encryptionKey: string, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', encryptionKey, salt, 'identity-backend backup', 32));
}

function keyIdOf(encryptionKey: string): string {
  return Buffer.from(hkdfSync('sha256', encryptionKey, '', 'identity-backend backup key id', KEY_ID_BYTES)).toString(
    'base64url',
  );
}
