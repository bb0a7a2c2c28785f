// Nothing that is sealed is forgotten when everything is encrypted again.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';

describe('re-encryption', () => {
  it('knows every file that seals: whoever seals a column adds it to adapters/re-encryption.ts, and itself here', () => {
    const folder = join(import.meta.dirname, '../../adapters');
    const sealing = readdirSync(folder).filter((file) => {
      return file.endsWith('.ts') && /\.seal\(/.test(readFileSync(join(folder, file), 'utf8'));
    });
    assert.deepEqual(sealing, ['artifact-writes.ts', 'clients.ts', 'keys.ts', 'second-factors.ts']);
  });
});
