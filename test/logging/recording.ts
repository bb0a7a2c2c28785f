// Loggers for tests that keep what is written and forwarded.
import type { DestinationStream } from 'pino';
import { createLogger, type LogEntry } from '../../src/logging/logger.ts';

/** A log stream in memory. */
export interface Recording extends DestinationStream {
  /** everything written */
  readonly text: string;
  /** the same, parsed line by line */
  readonly lines: Record<string, unknown>[];
}

/** Creates an empty recording. */
export function createRecording(): Recording {
  let text = '';
  return {
    write(chunk) {
      text += chunk;
    },
    get text() {
      return text;
    },
    get lines() {
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

/** A logger with everything that it writes and forwards. */
export function record(level: 'trace' | 'info' | 'warn' = 'info') {
  const recording = createRecording();
  const forwarded: LogEntry[] = [];
  const logger = createLogger({ level, destination: recording, forward: (entry) => forwarded.push(entry) });
  return { recording, forwarded, logger };
}
