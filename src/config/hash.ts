// Names a configuration without telling it, so that two starts can be compared.
import { createHash } from 'node:crypto';
import type { Config } from '../config.ts';

/**
 * Another one whenever any setting is, secrets included; the first 16 characters of a SHA-256 (base64url). It gives no
 * secret away: nobody can try candidates without knowing the others, of 32 random bytes each.
 */
export function hashConfig(config: Config): string {
  const text = JSON.stringify(config, (_, value) => {
    if (value instanceof Set) return [...value].sort();
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
