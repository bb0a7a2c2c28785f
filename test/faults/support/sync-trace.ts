// Watches, where strace is there, in which order a process writes to its log, syncs it, and answers.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface SyncTrace {
  /** Ends the watch; what happened, in order. */
  stop(): Promise<('write' | 'sync' | 'answer')[]>;
}

/** Undefined where strace is missing, or may not look at other processes. */
export async function traceSyncs(pid: number): Promise<SyncTrace | undefined> {
  const calls = 'trace=pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync';
  const strace = spawn('strace', ['-f', '-y', '-s', '16', '-e', calls, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(strace, 'close').catch(() => undefined);
  let text = '';
  strace.stderr.setEncoding('utf8');
  const attached = new Promise<boolean>((resolve) => {
    strace.stderr.on('data', (chunk: string) => {
      text += chunk;
      if (/attached/.test(text)) resolve(true);
    });
    strace.once('error', () => resolve(false));
    strace.once('close', () => resolve(false));
  });
  if (!(await attached)) return undefined;
  return {
    async stop() {
      strace.kill('SIGINT');
      await ended;
      return text.split('\n').flatMap(eventOf);
    },
  };
}

function eventOf(line: string): ('write' | 'sync' | 'answer')[] {
  if (/pwrite64\(\d+<[^>]*-wal>/.test(line)) return ['write'];
  if (/f(data)?sync\(\d+<[^>]*-wal>/.test(line)) return ['sync'];
  if (/"HTTP\/1\.1 200/.test(line)) return ['answer'];
  return [];
}
