// Challenges of WebAuthn ceremonies: made without being kept, good for five minutes, one place, and one use.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { AlreadyConsumed, type Artifacts, type Clock } from '../store.ts';

/** Under which those that were used are kept until they are too old. */
const MODEL = 'WebAuthnChallenge';
/** Seconds. */
const LIFETIME = 5 * 60;
const TIME_BYTES = 6;
const RANDOM_BYTES = 16;
const HEAD_BYTES = TIME_BYTES + RANDOM_BYTES;
const MAC_BYTES = 32;

/** Why a challenge is not good: too old, or not one of ours for this place. */
export type ChallengeFault = 'expired' | 'challenge';

export interface PasskeyChallenges {
  /** @param place what the ceremony belongs to: another place's challenge is no good here */
  issue(place: string): Buffer<ArrayBuffer>;
  /** Undefined when the challenge (base64url) is good; uses nothing up. */
  faultOf(challenge: string, place: string): ChallengeFault | undefined;
  /** Uses up a challenge that is good: false for everybody but the first (Web Authentication Level 3 §13.4.3). */
  use(challenge: string): Promise<boolean>;
}

/**
 * A page with a challenge is shown far more often than it is answered, so nothing is written until then: the challenge
 * says when and for what it was made, under a MAC.
 * @param options.secrets the first one issues, all verify
 * @param options.artifacts written at once, not at the end of the request
 */
export function createPasskeyChallenges(options: {
  secrets: readonly [string, ...string[]];
  artifacts: Pick<Artifacts, 'apply'>;
  clock: Clock;
}): PasskeyChallenges {
  const { secrets, artifacts, clock } = options;
  const macOf = (secret: string, head: Buffer, place: string) =>
    createHmac('sha256', secret).update('passkey challenge').update(head).update(place).digest();

  return {
    issue(place) {
      const head = Buffer.concat([Buffer.alloc(TIME_BYTES), randomBytes(RANDOM_BYTES)]);
      head.writeUIntBE(clock(), 0, TIME_BYTES);
      return Buffer.concat([head, macOf(secrets[0], head, place)]);
    },

    faultOf(challenge, place) {
      const bytes = Buffer.from(challenge, 'base64url');
      if (bytes.length !== HEAD_BYTES + MAC_BYTES || bytes.toString('base64url') !== challenge) return 'challenge';
      const [head, mac] = [bytes.subarray(0, HEAD_BYTES), bytes.subarray(HEAD_BYTES)];
      if (!secrets.some((secret) => timingSafeEqual(mac, macOf(secret, head, place)))) return 'challenge';
      return clock() - head.readUIntBE(0, TIME_BYTES) > LIFETIME ? 'expired' : undefined;
    },

    async use(id) {
      const payload = { jti: id, kind: MODEL };
      try {
        // writing never makes unused what was used, and using works once; the time it is kept, it is good
        await artifacts.apply([
          { do: 'upsert', model: MODEL, id, payload, expiresIn: LIFETIME + 1 },
          { do: 'consume', model: MODEL, id },
        ]);
        return true;
      } catch (error) {
        if (error instanceof AlreadyConsumed) return false;
        throw error;
      }
    },
  };
}
