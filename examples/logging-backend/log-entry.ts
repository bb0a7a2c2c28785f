// One log line as a service sends it, checked before it is stored.
import { Refusal } from './refusal.ts';

/** What `POST /log` takes. `level` is in upper case; `context` is whatever JSON object helps to understand the message. */
export interface LogEntry {
  readonly service: string;
  readonly level: string;
  readonly message: string;
  readonly context: Record<string, unknown>;
}

const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'WARNING', 'ERROR', 'CRITICAL', 'FATAL'];
const maxDepth = 16;

/** @throws Refusal 400, whose message names the member that is wrong */
export function parseLogEntry(body: unknown): LogEntry {
  if (!isObject(body)) throw invalid('the body must be a JSON object');
  const { service, level, message, context = {} } = body;
  if (typeof service !== 'string' || service === '' || service.length > 200) {
    throw invalid('"service" must be a string of 1 to 200 characters');
  }
  if (typeof level !== 'string' || !levels.includes(level.toUpperCase())) {
    throw invalid(`"level" must be one of ${levels.join(', ')}`);
  }
  if (typeof message !== 'string') throw invalid('"message" must be a string');
  if (!isObject(context)) throw invalid('"context" must be a JSON object');
  if (isDeeperThan(maxDepth, context)) throw invalid(`"context" must not be nested deeper than ${maxDepth} levels`);
  return { service, level: level.toUpperCase(), message, context };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDeeperThan(limit: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return limit === 0 || Object.values(value).some((member) => isDeeperThan(limit - 1, member));
}

function invalid(message: string): Refusal {
  return new Refusal(400, 'invalid_request', message);
}
