// Gives every request its own unit of work over the artifacts, found again wherever that request does something.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Artifacts, Clock } from '../src/store.ts';
import { createUnitOfWork, type UnitOfWork } from './unit-of-work.ts';

export interface RequestUnits {
  /** What the provider's adapter works on: the unit of the request that is being answered, else the store itself. */
  readonly artifacts: Artifacts;
  /**
   * Runs one request. When `answer` resolves true its writes are committed, in one transaction, before this resolves;
   * when it resolves false, or rejects, nothing that it wrote happened.
   * @throws AlreadyConsumed, GrantRevoked, StoreUnavailable when the commit fails
   */
  run(answer: () => Promise<boolean>): Promise<void>;
  /**
   * The same search, but within a request each key is looked up once: a request sees one state of what it asks for
   * several times. Not for what requests change.
   */
  remember<Found>(find: (key: string) => Promise<Found>): (key: string) => Promise<Found>;
  /** Has `effect` happen once the request's writes are durable; at once outside of a request. */
  afterCommit(effect: () => void): void;
}

interface Request {
  /** made when it is first needed: most requests of services neither find nor write an artifact */
  unit?: UnitOfWork;
  readonly effects: (() => void)[];
  /** by search and key */
  readonly found: Map<unknown, Map<string, Promise<never>>>;
}

export function createRequestUnits(artifacts: Artifacts, clock: Clock): RequestUnits {
  const requests = new AsyncLocalStorage<Request>();

  function current(): Artifacts {
    const request = requests.getStore();
    if (!request) return artifacts;
    request.unit ??= createUnitOfWork(artifacts, clock);
    return request.unit;
  }

  return {
    artifacts: {
      find: (model, id) => current().find(model, id),
      findByUid: (model, uid) => current().findByUid(model, uid),
      findByUserCode: (model, userCode) => current().findByUserCode(model, userCode),
      listOf: (model, accountId) => current().listOf(model, accountId),
      apply: (writes) => current().apply(writes),
    },
    async run(answer) {
      const request: Request = { effects: [], found: new Map() };
      if (!(await requests.run(request, answer))) return;
      await request.unit?.commit();
      for (const effect of request.effects) effect();
    },
    remember(find) {
      return (key) => {
        const request = requests.getStore();
        if (!request) return find(key);
        const answers = request.found.get(find) ?? new Map();
        request.found.set(find, answers);
        const answer = answers.get(key) ?? find(key);
        answers.set(key, answer);
        return answer;
      };
    },
    afterCommit(effect) {
      const request = requests.getStore();
      if (request) request.effects.push(effect);
      else effect();
    },
  };
}
