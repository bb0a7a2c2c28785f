// Lets units of work that are ready at the same time share one transaction, and so one sync of the disk.

/** Applies one batch inside a transaction; answers with the refusal of that batch, if any, and rejects with outages. */
type ApplyBatch<Transaction, Batch, Refusal> = (transaction: Transaction, batch: Batch) => Promise<Refusal | undefined>;

interface Waiting<Batch> {
  batch: Batch;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Each call resolves once its batch is durable, and rejects with its own refusal; batches do not see each other fail.
 * While one transaction is under way, later batches gather for the next one, in order.
 * @param write runs work in one transaction, durable when it resolves; its rejection is everybody's
 * @param limit most batches in one transaction
 */
export function createGroupCommit<Transaction, Batch, Refusal extends Error>(
  write: <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>,
  applyBatch: ApplyBatch<Transaction, Batch, Refusal>,
  limit = 64,
): (batch: Batch) => Promise<void> {
  const waiting: Waiting<Batch>[] = [];
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (waiting.length > 0) await commitTogether();
    running = false;
  }

  async function commitTogether(): Promise<void> {
    let group: Waiting<Batch>[] = [];
    try {
      const refusals = await write(async (transaction) => {
        // taken only now: whatever became ready while the transaction waited for its turn comes along
        group = waiting.splice(0, limit);
        const answers: (Refusal | undefined)[] = [];
        for (const { batch } of group) answers.push(await applyBatch(transaction, batch));
        return answers;
      });
      group.forEach(({ resolve, reject }, index) => {
        const refusal = refusals[index];
        if (refusal) reject(refusal);
        else resolve();
      });
    } catch (error) {
      // failed before it began: nobody was taken, and everybody who waits would wait in vain
      if (group.length === 0) group = waiting.splice(0);
      for (const { reject } of group) reject(error);
    }
  }

  return (batch) =>
    new Promise((resolve, reject) => {
      waiting.push({ batch, resolve, reject });
      if (!running) void run();
    });
}
