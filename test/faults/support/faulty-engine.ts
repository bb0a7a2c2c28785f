// A real engine whose calls can be counted, and one of which can be made to go wrong.
import type { Kysely } from 'kysely';
import type { Engine } from '../../../adapters/engine.ts';
import type { Schema } from '../../../adapters/schema.ts';

/** What happens at a call: it rejects, it waits, or the process ends. */
export type Fault = () => Promise<void>;

export interface FaultyEngine {
  readonly engine: Engine;
  /** From now on, `fault` happens at the nth call, once. */
  arm(nth: number, fault: Fault): void;
  /** Whether it happened; it does not happen any more. */
  disarm(): boolean;
}

/**
 * Calls are: each read; the beginning of each write transaction; each statement in it, when it has run, so that the
 * last one stands right before the COMMIT; and the moment after the COMMIT, before anybody knows of it.
 */
export function createFaultyEngine(engine: Engine): FaultyEngine {
  let left = 0;
  let armed: Fault | undefined;

  async function call(): Promise<void> {
    if (!armed) return;
    left -= 1;
    if (left !== 0) return;
    await armed();
  }

  const watched = (db: Kysely<Schema>) =>
    db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        await call();
        return result;
      },
    });

  return {
    engine: {
      ...engine,
      async read(work) {
        await call();
        return engine.read(work);
      },
      async write(work) {
        await call();
        const answer = await engine.write((transaction) => work(watched(transaction)));
        await call();
        return answer;
      },
    },
    arm(nth, fault) {
      left = nth;
      armed = fault;
    },
    disarm() {
      armed = undefined;
      return left <= 0;
    },
  };
}
