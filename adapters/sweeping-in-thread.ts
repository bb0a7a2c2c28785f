// The thread of `sweeping-thread.ts`: what it deletes and syncs with a connection of its own.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { StoreUnavailable, type Swept } from '../src/store.ts';
import { openWriter } from './sqlite-writer.ts';
import { deleteExpired } from './sweeping.ts';
import type { SweepAnswer, SweepTask } from './sweeping-thread.ts';

const { write, checkpoint } = openWriter(workerData.file);
let last = Promise.resolve();

parentPort?.on('message', ({ task, port }: { task: SweepTask; port: MessagePort }) => {
  last = last.then(async () => port.postMessage(await answer(task)));
});

async function answer(task: SweepTask): Promise<SweepAnswer> {
  try {
    return { swept: await perform(task) };
  } catch (error) {
    return { failed: String((error as Error).message), outage: error instanceof StoreUnavailable };
  }
}

async function perform(task: SweepTask): Promise<Swept> {
  if (task.do === 'delete') return write((db) => deleteExpired(db, task.limits));
  await checkpoint();
  return { rows: 0, more: false };
}
