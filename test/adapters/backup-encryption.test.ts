// Behaviour of the encrypted file of a backup: what goes in comes out, or nothing is believed.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decryptBackup, encryptBackup } from '../../adapters/backup-encryption.ts';

const KEY = 'the encryption key of these tests, long enough';
const OTHER_KEY = 'another encryption key, just as long as that';
const CHUNK = 64 * 1024;
const SEALED_CHUNK = 4 + CHUNK + 16;

describe('the encrypted file of a backup', () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'identity-backup-'));
    path = join(folder, 'backup');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function write(data: readonly Buffer[], keys = [KEY], manifest: object = { fine: true }): Promise<Buffer> {
    async function* pieces() {
      yield* data;
    }
    await using file = await open(path, 'w');
    assert.deepEqual(await encryptBackup(file, keys, pieces(), () => manifest), manifest);
    return readFileSync(path);
  }

  async function read(keys = [KEY]): Promise<{ data: Buffer; manifest: unknown }> {
    const pieces: Buffer[] = [];
    await using file = await open(path, 'r');
    const manifest = await decryptBackup(file, keys, async (piece) => void pieces.push(piece));
    return { data: Buffer.concat(pieces), manifest };
  }

  for (const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 7]) {
    it(`gives back ${size} bytes and the manifest`, async () => {
      const data = randomBytes(size);
      await write([data]);
      assert.deepEqual(await read(), { data, manifest: { fine: true } });
    });
  }

  it('gives back what came in many pieces', async () => {
    const data = Array.from({ length: 9 }, (_, n) => randomBytes(n * 10_000));
    await write(data);
    assert.deepEqual((await read()).data, Buffer.concat(data));
  });

  it('is never the same twice, and shows nothing but the name of its key', async () => {
    const secret = Buffer.from('alice@example.com'.repeat(20));
    const [one, two] = [await write([secret]), await write([secret])];
    assert.ok(!one.includes('alice'));
    assert.ok(!one.includes('fine'));
    const [first, second] = [one, two].map((bytes) => bytes.subarray(0, bytes.indexOf('\n') + 1).toString());
    assert.match(String(first), /^identity-backup v1 [\w-]{8} [\w-]{22}\n$/);
    assert.equal(first?.slice(0, 27), second?.slice(0, 27));
    assert.notEqual(first, second);
    assert.ok(!two.includes(one.subarray(51, 100)));
  });

  it('opens with any listed key, and is made with the first', async () => {
    await write([Buffer.from('data')], [OTHER_KEY, KEY]);
    assert.equal((await read([KEY, OTHER_KEY])).data.toString(), 'data');
    await assert.rejects(read([KEY]), { name: 'BackupRefused' });
  });

  const chunkAt = (n: number) => 51 + n * SEALED_CHUNK;
  const flipped = (bytes: Buffer, at: number, mask = 1) => {
    const copy = Buffer.from(bytes);
    copy[at] = Number(copy[at]) ^ mask;
    return copy;
  };
  const refusals: [name: string, change: (bytes: Buffer) => Buffer, message: RegExp][] = [
    ['nothing', () => Buffer.alloc(0), /not a backup of this program/],
    ['another file', () => Buffer.from('a letter\n'.repeat(100)), /not a backup of this program/],
    ['a later format', (bytes) => Buffer.from(bytes.toString('latin1').replace(' v1 ', ' v2 '), 'latin1'), /\(v2\)/],
    ['a header alone', (bytes) => bytes.subarray(0, 51), /cut off/],
    ['another end of its first line', (bytes) => flipped(bytes, 50), /altered/],
    ['another salt', (bytes) => flipped(bytes, 30), /altered/],
    ['a changed byte of data', (bytes) => flipped(bytes, chunkAt(1) + 500), /altered/],
    ['a changed tag', (bytes) => flipped(bytes, chunkAt(1) - 1), /altered/],
    ['a changed length', (bytes) => flipped(bytes, chunkAt(0) + 3), /altered/],
    ['a length beyond measure', (bytes) => flipped(bytes, chunkAt(0) + 1), /altered/],
    ['a chunk that claims to be the last', (bytes) => flipped(bytes, chunkAt(0), 0x80), /altered/],
    [
      'a chunk that claims to be the last, and is',
      (bytes) => flipped(bytes, chunkAt(0), 0x80).subarray(0, chunkAt(1)),
      /altered/,
    ],
    ['a cut within a chunk', (bytes) => bytes.subarray(0, chunkAt(1) + 100), /cut off/],
    ['a cut between chunks', (bytes) => bytes.subarray(0, chunkAt(2)), /cut off/],
    ['a missing last byte', (bytes) => bytes.subarray(0, -1), /cut off/],
    ['a byte too many', (bytes) => Buffer.concat([bytes, Buffer.from([0])]), /altered/],
    [
      'a chunk left out',
      (bytes) => Buffer.concat([bytes.subarray(0, chunkAt(1)), bytes.subarray(chunkAt(2))]),
      /altered/,
    ],
    [
      'two chunks in each other’s place',
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, chunkAt(0)),
          bytes.subarray(chunkAt(1), chunkAt(2)),
          bytes.subarray(chunkAt(0), chunkAt(1)),
          bytes.subarray(chunkAt(2)),
        ]),
      /altered/,
    ],
  ];
  for (const [name, change, message] of refusals) {
    it(`refuses ${name}`, async () => {
      writeFileSync(path, change(await write([randomBytes(3 * CHUNK + 99)])));
      await assert.rejects(read(), { name: 'BackupRefused', message });
    });
  }

  it('refuses a chunk of another backup made with the same key', async () => {
    const other = await write([randomBytes(2 * CHUNK)]);
    const bytes = await write([randomBytes(2 * CHUNK)]);
    other.copy(bytes, chunkAt(0), chunkAt(0), chunkAt(1));
    writeFileSync(path, bytes);
    await assert.rejects(read(), { name: 'BackupRefused', message: /altered/ });
  });

  it('says which variable to mend when its key is not listed', async () => {
    await write([Buffer.from('data')]);
    await assert.rejects(read([OTHER_KEY]), {
      name: 'BackupRefused',
      message: /put the ENCRYPTION_KEY of that time back/,
    });
  });
});
