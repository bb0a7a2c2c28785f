// A real engine whose calls can be counted, and one of which can be made to go wrong.
import type { Kysely } from 'kysely';
import type { Engine } from '../../../adapters/engine.ts';
import type { Schema } from '../../../adapters/schema.ts';

/** What happens at a call: it rejects, it waits, or the process ends. */
export type Fault = () => Promise<void>;

/** What kind of call it was. */
export type Place = 'read' | 'begin' | 'statement' | 'committed';

export interface FaultyEngine {
  readonly engine: Engine;
  /** From now on, `fault` happens at the nth call, once. */
  arm(nth: number, fault: Fault): void;
  /** Where it happened, if it did; it does not happen any more. */
  disarm(): Place | undefined;
}

/**
 * Calls are: each read; the beginning of each write transaction; each statement in it, when it has run, so that the
 * last one stands right before the COMMIT; and the moment after the COMMIT, before anybody knows of it.
 */
export function createFaultyEngine(engine: Engine): FaultyEngine {
  let left = 0;
  let armed: Fault | undefined;
  let hit: Place | undefined;

  async function call(place: Place): Promise<void> {
    if (!armed) return;
    left -= 1;
    if (left !== 0) return;
    hit = place;
    await armed();
  }

  const watched = (db: Kysely<Schema>) =>
    db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        await call('statement');
        return result;
      },
    });

  return {
    engine: {
      ...engine,
      async read(work) {
        await call('read');
        return engine.read(work);
      },
      async write(work) {
        await call('begin');
        const answer = await engine.write((transaction) => work(watched(transaction)));
        await call('committed');
        return answer;
      },
    },
    arm(nth, fault) {
      left = nth;
      hit = undefined;
      armed = fault;
    },
    disarm() {
      armed = undefined;
      return hit;
    },
  };
}
