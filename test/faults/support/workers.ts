// Clients that go on until the server dies, remember what they were told, and hold it against what is found afterwards.
import type { Books } from './ledger.ts';
import { NoCode, type RelyingAgent, type Tokens, tokensOf } from './relying-agent.ts';
import type { Answer } from './requests.ts';

/**
 * One client. What it was told by an answer is acknowledged and has to hold. A request that got no answer, or a 503,
 * has an unknown outcome: it happened wholly or not at all.
 */
export interface Worker {
  /** Presses on until a request gets no answer. */
  work(): Promise<void>;
  /** Holds the history against the database. */
  check(books: Books): void;
  /** Holds the history against the service, and settles what was unknown. */
  resume(): Promise<void>;
  readonly tally: Tally;
}

/** What a worker counts; `violations` are sentences and should be none. */
export interface Tally {
  acknowledged: number;
  readonly violations: string[];
  /** of the requests without an answer */
  unknown: { done: number; notDone: number };
}

export function createTally(): Tally {
  return { acknowledged: 0, violations: [], unknown: { done: 0, notDone: 0 } };
}

/** Undefined when there was no answer, or one that says to try again. */
async function attempt(call: Promise<Answer>): Promise<Answer | undefined> {
  const answer = await call.catch(() => undefined);
  return answer?.status === 503 ? undefined : answer;
}

/** A new code; undefined when there was no answer. */
async function attemptCode(agent: RelyingAgent): Promise<string | undefined> {
  try {
    return await agent.code();
  } catch (error) {
    if (error instanceof NoCode && error.status !== 503) throw error;
    return undefined;
  }
}

/**
 * Refreshes one chain, each token once.
 *
 * A refresh without an answer: either the old token is fresh, and then it works exactly once more, or it is consumed,
 * and then its successor stands in the database, though nobody was told; presenting the old one again is then a replay,
 * which is refused and ends the family, the tokens that were acknowledged before included.
 */
export function createRefreshWorker(agent: RelyingAgent, tally: Tally): Worker {
  let chain: Tokens[] = [];
  let outcome: 'known' | 'unknown' | 'done' | 'not done' = 'known';
  const current = () => chain.at(-1) as Tokens;
  const report = (sentence: string) => void tally.violations.push(`refresh worker: ${sentence}`);

  async function begin(): Promise<void> {
    chain = [];
    outcome = 'known';
    const code = await attemptCode(agent);
    const answer = code && (await attempt(agent.redeem(code)));
    if (answer) chain = [tokensOf(answer)];
  }

  return {
    tally,
    async work() {
      if (chain.length === 0) await begin();
      while (chain.length > 0) {
        const answer = await attempt(agent.refresh(current().refreshToken));
        if (!answer) {
          outcome = 'unknown';
          return;
        }
        if (answer.status !== 200) return report(`a token that was never used is refused: ${answer.text}`);
        tally.acknowledged += 1;
        chain.push(tokensOf(answer));
      }
    },
    check(books) {
      if (chain.length === 0) return;
      for (const [index, { accessToken, refreshToken }] of chain.entries()) {
        if (books.stateOf('AccessToken', accessToken) !== 'fresh') report('an acknowledged access token is lost');
        const state = books.stateOf('RefreshToken', refreshToken);
        if (state === 'absent') report('an acknowledged refresh token is lost');
        if (index < chain.length - 1 && state === 'fresh') report('an acknowledged consumption is lost');
      }
      const state = books.stateOf('RefreshToken', current().refreshToken);
      if (outcome === 'unknown') outcome = state === 'consumed' ? 'done' : 'not done';
      else if (state === 'consumed') report('a refresh token is consumed that nobody used');
    },
    async resume() {
      if (chain.length === 0) return begin();
      const { accessToken, refreshToken } = current();
      const alive = await agent.userinfo(accessToken);
      if (alive.status !== 200) report(`an acknowledged access token does not work: ${alive.status} ${alive.text}`);
      const answer = await agent.refresh(refreshToken);
      if (outcome !== 'known') tally.unknown[outcome === 'done' ? 'done' : 'notDone'] += 1;
      if (outcome === 'done') {
        if (answer.status !== 400) report(`a consumed refresh token is answered with ${answer.status}`);
        if ((await agent.userinfo(accessToken)).status !== 401) report('a replay left its family alive');
        return begin();
      }
      if (answer.status !== 200) return report(`a fresh refresh token is refused: ${answer.status} ${answer.text}`);
      tally.acknowledged += 1;
      chain.push(tokensOf(answer));
      outcome = 'known';
      if (chain.length > 10) await replayFirst();
    },
  };

  /** The oldest token of a long chain is recognised, whatever has happened since. */
  async function replayFirst(): Promise<void> {
    const answer = await agent.refresh((chain[0] as Tokens).refreshToken);
    if (answer.status !== 400) report(`a consumed refresh token is answered with ${answer.status}`);
    if ((await agent.userinfo(current().accessToken)).status !== 401) report('a replay left its family alive');
    await begin();
  }
}

/**
 * Gets codes, redeems them, and revokes everything after every third. All codes between two revocations share a grant.
 *
 * A redemption without an answer: either the code is fresh and works, or it is consumed and its tokens stand in the
 * database; presenting it again is then refused and ends the family. A revocation without an answer: either everything
 * of the grant is there, or nothing.
 */
export function createCodeWorker(agent: RelyingAgent, tally: Tally): Worker {
  let redeemed: (Tokens & { code: string })[] = [];
  let revoked: Tokens[] = [];
  let code: string | undefined;
  let outcome: 'known' | 'redeeming' | 'revoking' | 'redeemed' | 'revoked' = 'known';
  const report = (sentence: string) => void tally.violations.push(`code worker: ${sentence}`);

  function keep(answer: Answer): void {
    tally.acknowledged += 1;
    redeemed.push({ ...tokensOf(answer), code: String(code) });
    code = undefined;
  }

  function forget(): void {
    revoked = redeemed;
    redeemed = [];
    code = undefined;
  }

  async function revoke(): Promise<boolean> {
    const answer = await attempt(agent.revoke((redeemed[0] as Tokens).refreshToken));
    if (!answer) outcome = 'revoking';
    else if (answer.status !== 200) report(`a revocation is answered with ${answer.status} ${answer.text}`);
    else forget();
    return answer !== undefined;
  }

  return {
    tally,
    async work() {
      for (;;) {
        code = await attemptCode(agent);
        if (code === undefined) return;
        const answer = await attempt(agent.redeem(code));
        if (!answer) {
          outcome = 'redeeming';
          return;
        }
        if (answer.status !== 200) return report(`a code that was never used is refused: ${answer.text}`);
        keep(answer);
        if (redeemed.length >= 3 && !(await revoke())) return;
      }
    },
    check(books) {
      const states = redeemed.flatMap((one) => [
        books.stateOf('AccessToken', one.accessToken) === 'fresh',
        books.stateOf('RefreshToken', one.refreshToken) === 'fresh',
        books.stateOf('AuthorizationCode', one.code) === 'consumed',
      ]);
      if (outcome === 'revoking' && states.every((there) => !there)) outcome = 'revoked';
      else if (!states.every(Boolean)) report('something that was acknowledged for a code is lost');
      for (const { accessToken, refreshToken } of revoked) {
        const left = [books.stateOf('AccessToken', accessToken), books.stateOf('RefreshToken', refreshToken)];
        if (left.some((state) => state !== 'absent')) report('an acknowledged revocation is lost');
      }
      if (code === undefined) return;
      const state = books.stateOf('AuthorizationCode', code);
      if (state === 'absent') report('an acknowledged code is lost');
      if (outcome === 'redeeming' && state === 'consumed') outcome = 'redeemed';
      else if (state === 'consumed') report('a code is consumed that nobody redeemed');
    },
    async resume() {
      if (outcome !== 'known') {
        tally.unknown[outcome === 'redeemed' || outcome === 'revoked' ? 'done' : 'notDone'] += 1;
      }
      if (outcome === 'revoked') forget();
      for (const { accessToken } of redeemed.slice(-1)) {
        const { status, text } = await agent.userinfo(accessToken);
        if (status !== 200) report(`an acknowledged access token does not work: ${status} ${text}`);
      }
      for (const { accessToken } of revoked.slice(-1)) {
        if ((await agent.userinfo(accessToken)).status !== 401) report('a revoked access token works');
      }
      if (code !== undefined) {
        const answer = await agent.redeem(code);
        if (outcome === 'redeemed') {
          if (answer.status !== 400) report(`a consumed code is answered with ${answer.status}`);
          const [first] = redeemed;
          if (first && (await agent.userinfo(first.accessToken)).status !== 401) {
            report('a replay left its family alive');
          }
          forget();
        } else if (answer.status === 200) keep(answer);
        else report(`an acknowledged code is refused: ${answer.status} ${answer.text}`);
      }
      outcome = 'known';
      code = undefined;
    },
  };
}
