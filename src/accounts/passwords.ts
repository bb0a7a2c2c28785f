// Hashes and checks passwords: argon2id, whole passwords in one spelling, a few at a time.
import { randomBytes } from 'node:crypto';
import { hash as argon2, verify as argon2Verify, parseOptions } from '@node-rs/argon2';
import { createHashQueue, type Urgency } from './hash-queue.ts';

// The OWASP minimum for argon2id: KiB of memory, passes, lanes.
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const maxBytes = 1_024;

/** What `parseOptions` answers for argon2id; its enum cannot be imported by erasable syntax. */
const argon2id = 2;

/** The password is one that this service never hashes: see `isAcceptablePassword`. */
export class UnacceptablePassword extends Error {
  override name = 'UnacceptablePassword';
}

/** Checks passwords against stored hashes, and makes those hashes. */
export interface PasswordHasher {
  /**
   * A PHC string of argon2id.
   * @throws UnacceptablePassword, PasswordQueueFull
   */
  hash(password: string): Promise<string>;
  /**
   * Whether the password is the one that was hashed. Without a hash, or with one of another kind, it does the same work
   * and answers false, so that time tells nobody whether an account exists (security.md R48). An unacceptable password
   * is false without any work.
   * @throws PasswordQueueFull
   */
  verify(passwordHash: string | undefined, password: string, urgency?: Urgency): Promise<boolean>;
  /** How many passwords are checked in that time, going by how long it took lately; Infinity before the first. */
  within(ms: number): number;
  /** Whether the hash is weaker than those that `hash` makes now, or of another kind. */
  needsRehash(passwordHash: string): boolean;
}

/**
 * Whether a password may be hashed at all: 1 to 1,024 bytes of well-formed Unicode without NUL (security.md R52).
 * Its length in characters is the business of whoever sets it.
 */
export function isAcceptablePassword(password: string): boolean {
  return (
    password.length > 0 &&
    password.length <= maxBytes &&
    password.isWellFormed() &&
    Buffer.byteLength(password) <= maxBytes &&
    !password.includes('\0')
  );
}

/** The one spelling that is hashed, so that a password typed on another keyboard still matches (SP 800-63B-4 §3.1.1.2). */
function canonical(password: string): string {
  return password.normalize('NFKC');
}

/** The hash of no password: checking against it costs what checking a real one costs. */
function nobodysHash(): string {
  const base64 = (bytes: number) => randomBytes(bytes).toString('base64').replace(/=+$/, '');
  const { memoryCost, timeCost, parallelism } = parameters;
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${base64(16)}$${base64(32)}`;
}

function optionsOf(passwordHash: string): ReturnType<typeof parseOptions> | undefined {
  try {
    return parseOptions(passwordHash);
  } catch {
    return undefined;
  }
}

/**
 * A hasher that runs at most `concurrency` hashes at once, fewer than libuv has threads, so that signing goes on
 * during a flood of sign-ins (security.md R51).
 */
export function createPasswordHasher(limits: { concurrency?: number; maxQueue?: number } = {}): PasswordHasher {
  const inTurn = createHashQueue(limits.concurrency ?? 2, limits.maxQueue ?? 50);
  const nobody = nobodysHash();

  return {
    within: inTurn.within,

    async hash(password) {
      if (!isAcceptablePassword(password)) {
        throw new UnacceptablePassword(`a password must have 1 to ${maxBytes} bytes and no NUL`);
      }
      return inTurn(() => argon2(canonical(password), parameters));
    },

    async verify(passwordHash, password, urgency) {
      if (!isAcceptablePassword(password)) return false;
      const known = passwordHash !== undefined && optionsOf(passwordHash) !== undefined;
      const matches = await inTurn(() => argon2Verify(known ? passwordHash : nobody, canonical(password)), urgency);
      return known && matches;
    },

    needsRehash(passwordHash) {
      const options = optionsOf(passwordHash);
      return (
        options === undefined ||
        options.algorithm !== argon2id ||
        options.memoryCost < parameters.memoryCost ||
        options.timeCost < parameters.timeCost
      );
    },
  };
}
