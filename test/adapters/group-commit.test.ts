// Batches that are ready together share a transaction, and each has its own answer.
import assert from 'node:assert/strict';
import { createGroupCommit } from '../../adapters/group-commit.ts';

/** A database that notes what each transaction applied. */
function recordingDatabase() {
  const transactions: string[][] = [];
  let outage: Error | undefined;
  async function write<T>(work: (transaction: string[]) => Promise<T>): Promise<T> {
    await Promise.resolve();
    if (outage) throw outage;
    const transaction: string[] = [];
    const answer = await work(transaction);
    transactions.push(transaction);
    return answer;
  }
  async function applyBatch(transaction: string[], batch: string): Promise<Error | undefined> {
    if (batch.startsWith('refused')) return new Error(batch);
    transaction.push(batch);
    return undefined;
  }
  return {
    transactions,
    commit: createGroupCommit(write, applyBatch, 3),
    fail(error: Error | undefined) {
      outage = error;
    },
  };
}

describe('Group commit', () => {
  it('puts what is ready at the same time into one transaction, in order', async () => {
    const { commit, transactions } = recordingDatabase();
    await Promise.all(['a', 'b', 'c'].map(commit));
    assert.deepEqual(transactions, [['a', 'b', 'c']]);
  });

  it('begins another transaction when one is full, and loses nobody', async () => {
    const { commit, transactions } = recordingDatabase();
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(commit));
    assert.deepEqual(transactions, [
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
  });

  it('refuses one batch and commits the others', async () => {
    const { commit, transactions } = recordingDatabase();
    const answers = await Promise.allSettled(['a', 'refused b', 'c'].map(commit));
    assert.deepEqual(
      answers.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(transactions, [['a', 'c']]);
  });

  it('answers everybody when the database is out, and works again afterwards', async () => {
    const { commit, transactions, fail } = recordingDatabase();
    fail(new Error('out'));
    const answers = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map(commit));
    assert.ok(answers.every((answer) => answer.status === 'rejected' && answer.reason.message === 'out'));
    fail(undefined);
    await commit('f');
    assert.deepEqual(transactions, [['f']]);
  });
});
