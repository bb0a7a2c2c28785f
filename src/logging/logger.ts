// The process's log: pino, one JSON line per event, with every line cleaned before it is written or forwarded.
import { hostname } from 'node:os';
import { pid } from 'node:process';
import { type DestinationStream, type Level, type Logger, levels, pino } from 'pino';
import { cleanFields, cleanText } from './redaction.ts';

export type { Logger } from 'pino';

/** One line as the central log service takes it, without `service`. Everything in it is cleaned. */
export interface LogEntry {
  level: string;
  message: string;
  context: Record<string, unknown>;
}

type Line = Record<string, unknown> & { level: number; time: string };

// Parsing pino's own line covers whatever way a value took into it: child bindings, format arguments, serializers.
function cleanLine(line: string, level: number): Line {
  const { level: _level, time: _time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  return {
    level,
    time: new Date().toISOString(),
    ...cleanFields(fields),
    ...(msg === undefined ? {} : { msg: cleanText(String(msg)) }),
  };
}

function entryOf({ level, msg, pid: _pid, hostname: _hostname, ...context }: Line): LogEntry {
  return { level: (levels.labels[level] ?? 'info').toUpperCase(), message: String(msg ?? ''), context };
}

/**
 * Creates the logger. Whatever is logged comes out as one line of JSON with a numeric `level`, an ISO `time`, strings
 * of at most 1 KiB without control characters, and `[redacted]` for secrets. Errors belong under `err`.
 * @param destination where lines go, each in one `write`
 * @param forward receives each line of level info and above; must neither throw nor wait
 */
export function createLogger({
  level,
  destination,
  forward,
}: {
  level: Level | 'silent';
  destination: DestinationStream;
  forward?: ((entry: LogEntry) => void) | undefined;
}): Logger {
  const gate = {
    // pino then tells the level of each line in `lastLevel`: a field named "level" cannot pretend another.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: levels.values['info'] as number,
    write(text: string): void {
      writeLine(cleanLine(text, this.lastLevel));
    },
  };
  function writeLine(line: Line): void {
    destination.write(`${JSON.stringify(line)}\n`);
    if (forward && line.level >= (levels.values['info'] as number)) forward(entryOf(line));
  }
  const base = { pid, hostname: hostname() };
  const logger = pino({ level, base, timestamp: false }, gate);
  cleanLogs.set(logger, (lineLevel, fields, msg) => {
    const level = levels.values[lineLevel] as number;
    writeLine({ level, time: new Date().toISOString(), ...base, ...fields, msg });
  });
  return logger;
}

type CleanLog = (level: Level, fields: Record<string, unknown>, message: string) => void;

/** How to write to each logger what is clean already. */
const cleanLogs = new WeakMap<Logger, CleanLog>();

/**
 * Logs what went through `cleanFields` already, with a fixed message of ours, at half the cost: the same line as
 * `logger[level](fields, message)` would be.
 */
export function logClean(logger: Logger, level: Level, fields: Record<string, unknown>, message: string): void {
  const write = cleanLogs.get(logger);
  if (write === undefined) logger[level](fields, message);
  else if (logger.isLevelEnabled(level)) write(level, fields, message);
}
