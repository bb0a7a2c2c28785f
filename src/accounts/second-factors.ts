// Second factors of an account: which it has, whether a code is right, and how an authenticator app is enrolled.
import type { Artifacts, Clock, Passkeys, SecondFactors } from '../store.ts';
import { newRecoveryCodes, recoveryCodeDigest } from './recovery-codes.ts';
import { newTotpSecret, totpStepOf } from './totp.ts';

/** What an account can sign in with beside its password. */
export interface Factors {
  /** an authenticator app */
  totp: boolean;
  /** how many are not used yet */
  recoveryCodes: number;
  /** how many */
  passkeys: number;
}

/** Those that signing in asks for. Recovery codes are none: they stand in for one. */
export type EnrolledFactors = Pick<Factors, 'totp' | 'passkeys'>;

/** Whether signing in asks for a second factor. */
export function hasSecondFactor({ totp, passkeys }: EnrolledFactors): boolean {
  return totp || passkeys > 0;
}

/**
 * Whether a sign-in can end with a passkey: with one that there is, or, of an account without any second factor, with one
 * that it gets on the way.
 */
export function isPasskeyInReach(factors: EnrolledFactors, passkeysAreOffered: boolean): boolean {
  return factors.passkeys > 0 || (passkeysAreOffered && !hasSecondFactor(factors));
}

/** What came of a code. `replayed`: it was right, but it, or a newer one, has been used (RFC 6238 §5.2). */
export type CodeOutcome = 'accepted' | 'replayed' | 'wrong';

/** An authenticator app that is being enrolled. */
export interface TotpEnrolment {
  /** base32 */
  secret: string;
  /** once the first code was right: the recovery codes, to be shown */
  recoveryCodes?: readonly string[];
}

/** Whether an account may have these factors alone. */
export type MayLeave = (left: EnrolledFactors) => boolean | Promise<boolean>;

export interface SecondFactorDirectory {
  factorsOf(accountId: string): Promise<Factors>;
  /** The same without the recovery codes, for what every sign-in asks. */
  enrolledOf(accountId: string): Promise<EnrolledFactors>;
  /** Uses up a code of the authenticator app. */
  useTotpCode(accountId: string, code: string): Promise<CodeOutcome>;
  /** Uses up a recovery code. */
  useRecoveryCode(accountId: string, code: string): Promise<CodeOutcome>;
  /**
   * The enrolment that is under way in this place, or a new one: the same secret however often the page is shown.
   * @param place names the interaction or session that enrols
   */
  beginTotp(accountId: string, place: string): Promise<TotpEnrolment>;
  /** The enrolment that is under way, if there is one. */
  findEnrolment(accountId: string, place: string): Promise<TotpEnrolment | undefined>;
  /**
   * Enrols the app when the code is one of it, and makes new recovery codes. False when the code is wrong, nothing is under
   * way, or there is an app before.
   * @param options.replaces whether it takes the place of one before
   */
  confirmTotp(accountId: string, place: string, code: string, options: { replaces: boolean }): Promise<boolean>;
  /** Forgets the enrolment, with the recovery codes that it showed. */
  endEnrolment(place: string): Promise<void>;
  /** New ones instead of those before. They cannot be seen again. */
  replaceRecoveryCodes(accountId: string): Promise<string[]>;
  /** The same, and they are shown in this place until `endEnrolment`: of `findEnrolment` they are all that counts. */
  renewRecoveryCodes(accountId: string, place: string): Promise<void>;
  /**
   * The app, with the recovery codes when nothing is left that they stand in for. False when there is none, or it has to
   * stay.
   * @param mayLeave whether these factors are enough: of two that are removed at once, each is the other's reason to go
   */
  removeTotp(accountId: string, mayLeave: MayLeave): Promise<boolean>;
  /** The passkey, likewise. @param id of the credential */
  removePasskey(accountId: string, id: string, mayLeave: MayLeave): Promise<boolean>;
  /** Everything: of a person who lost it all. False when there was nothing. */
  removeAll(accountId: string): Promise<boolean>;
}

/** Under which an enrolment is kept until it is finished. */
const ENROLMENT = 'TotpEnrolment';
/** Seconds: as long as an interaction lives. */
const ENROLMENT_LIFETIME = 60 * 60;

export function createSecondFactorDirectory(parts: {
  secondFactors: SecondFactors;
  passkeys: Passkeys;
  artifacts: Artifacts;
  clock: Clock;
}): SecondFactorDirectory {
  const { secondFactors, passkeys, artifacts, clock } = parts;

  async function findEnrolment(accountId: string, place: string): Promise<TotpEnrolment | undefined> {
    const found = await artifacts.find(ENROLMENT, place);
    if (found?.['accountId'] !== accountId) return undefined;
    return found['enrolment'] as TotpEnrolment;
  }

  function keepEnrolment(accountId: string, place: string, enrolment: TotpEnrolment): Promise<void> {
    const payload = { jti: place, accountId, enrolment };
    return artifacts.apply([{ do: 'upsert', model: ENROLMENT, id: place, payload, expiresIn: ENROLMENT_LIFETIME }]);
  }

  async function replaceRecoveryCodes(accountId: string): Promise<string[]> {
    const codes = newRecoveryCodes();
    const digests = codes.map((code) => recoveryCodeDigest(accountId, code) as string);
    await secondFactors.replaceRecoveryCodes(accountId, digests);
    return codes;
  }

  async function enrolledOf(accountId: string): Promise<EnrolledFactors> {
    const [totp, keys] = await Promise.all([secondFactors.findTotp(accountId), passkeys.listOf(accountId)]);
    return { totp: totp !== undefined, passkeys: keys.length };
  }

  /** What was removed is gone, unless what is left now is not enough: then it comes back. */
  async function isSettled(accountId: string, mayLeave: MayLeave, restore: () => Promise<unknown>): Promise<boolean> {
    const left = await enrolledOf(accountId);
    if (!(await mayLeave(left))) {
      await restore();
      return false;
    }
    if (!hasSecondFactor(left)) await secondFactors.replaceRecoveryCodes(accountId, []);
    return true;
  }

  return {
    enrolledOf,

    async factorsOf(accountId) {
      const [enrolled, recoveryCodes] = await Promise.all([
        enrolledOf(accountId),
        secondFactors.countRecoveryCodes(accountId),
      ]);
      return { ...enrolled, recoveryCodes };
    },

    async useTotpCode(accountId, code) {
      const totp = await secondFactors.findTotp(accountId);
      const step = totp && totpStepOf(totp.secret, code, clock());
      if (step === undefined) return 'wrong';
      return (await secondFactors.useTotpStep(accountId, step)) ? 'accepted' : 'replayed';
    },

    async useRecoveryCode(accountId, code) {
      const digest = recoveryCodeDigest(accountId, code);
      return digest !== undefined && (await secondFactors.useRecoveryCode(accountId, digest)) ? 'accepted' : 'wrong';
    },

    findEnrolment,

    async beginTotp(accountId, place) {
      const begun = await findEnrolment(accountId, place);
      if (begun) return begun;
      const enrolment = { secret: newTotpSecret() };
      await keepEnrolment(accountId, place, enrolment);
      return enrolment;
    },

    async confirmTotp(accountId, place, code, { replaces }) {
      const enrolment = await findEnrolment(accountId, place);
      // what has recovery codes is enrolled already
      if (!enrolment || enrolment.recoveryCodes) return false;
      const now = clock();
      const lastStep = totpStepOf(enrolment.secret, code, now);
      if (lastStep === undefined) return false;
      const totp = { accountId, secret: enrolment.secret, createdAt: now, lastStep };
      if (replaces) await secondFactors.saveTotp(totp);
      else if (!(await secondFactors.insertTotp(totp))) return false;
      await keepEnrolment(accountId, place, { ...enrolment, recoveryCodes: await replaceRecoveryCodes(accountId) });
      return true;
    },

    endEnrolment: (place) => artifacts.apply([{ do: 'destroy', model: ENROLMENT, id: place }]),

    replaceRecoveryCodes,

    async renewRecoveryCodes(accountId, place) {
      await keepEnrolment(accountId, place, { secret: '', recoveryCodes: await replaceRecoveryCodes(accountId) });
    },

    async removeTotp(accountId, mayLeave) {
      const totp = await secondFactors.findTotp(accountId);
      if (!totp || !(await secondFactors.removeTotp(accountId))) return false;
      return isSettled(accountId, mayLeave, () => secondFactors.insertTotp(totp));
    },

    async removePasskey(accountId, id, mayLeave) {
      const passkey = await passkeys.find(id);
      if (!passkey || !(await passkeys.remove(accountId, id))) return false;
      return isSettled(accountId, mayLeave, () => passkeys.insert(passkey));
    },

    async removeAll(accountId) {
      const keys = await passkeys.listOf(accountId);
      const codes = await secondFactors.countRecoveryCodes(accountId);
      const removed = await secondFactors.removeTotp(accountId);
      await secondFactors.replaceRecoveryCodes(accountId, []);
      for (const { id } of keys) await passkeys.remove(accountId, id);
      return removed || codes > 0 || keys.length > 0;
    },
  };
}
