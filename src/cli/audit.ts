// `identity audit`: who did what, when, and from where.
import { setTimeout as pause } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { isEventName } from '../logging/events.ts';
import type { AuditEvent, AuditFilter } from '../store.ts';
import { Failure, instant, type JsonOption, report, type Terminal, withJson } from './terminal.ts';
import { openWorkspace, type Workspace } from './workspace.ts';

interface AuditOptions extends JsonOption {
  since?: Since;
  client?: string;
  account?: string;
  event?: string;
  limit: number;
  follow?: true;
}

/** Epoch seconds, given the time now. */
type Since = (now: number) => number;

/** An event is written some time after it happened: who follows looks back so many seconds for those that came late. */
const LATE_SECONDS = 15;

const POLL_MS = 1_000;

/** Most events that one look at the trail takes in. */
const MAX_EVENTS = 10_000;

const UNIT_SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** @throws InvalidArgumentError */
function parseSince(written: string): Since {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(written) ?? [];
  if (count !== undefined) {
    return (now) => Math.max(0, now - Number(count) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS]);
  }
  const at = /^\d{4}-\d{2}-\d{2}/.test(written) ? Date.parse(written) : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError('It must be like 30m, 12h, 7d or 2026-01-31T12:00:00Z.');
  return () => Math.floor(at / 1000);
}

/** @throws InvalidArgumentError */
function parseLimit(written: string): number {
  const limit = Number(written);
  if (/^\d{1,5}$/.test(written) && limit >= 1 && limit <= MAX_EVENTS) return limit;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_EVENTS}.`);
}

/** In wire names, with what is known beside the others. */
function shown({ at, event, clientId, accountId, facts }: AuditEvent): Record<string, unknown> {
  return {
    at: instant(at),
    event,
    ...(clientId !== undefined && { client_id: clientId }),
    ...(accountId !== undefined && { sub: accountId }),
    ...Object.fromEntries(Object.entries(facts).map(([name, value]) => [snakeCase(name), value])),
  };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function lineOf(event: AuditEvent): string {
  const { at, event: name, ...facts } = shown(event);
  const rest = Object.entries(facts).map(([fact, value]) => `${fact}=${plain(value)}`);
  return [at, name, ...rest].join('  ');
}

function plain(value: unknown): string {
  return typeof value === 'string' && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value);
}

/** The command that reads the audit trail. */
export function auditCommand(terminal: Terminal): Command {
  async function audit(options: AuditOptions): Promise<void> {
    const { event, client, account, since, limit } = options;
    if (event !== undefined && !isEventName(event)) throw new Failure(`there is no event ${event}`);
    await using workspace = await openWorkspace(terminal);
    const filter: AuditFilter = {
      limit,
      ...(since && { since: since(workspace.clock()) }),
      ...(client !== undefined && { clientId: client }),
      ...(account !== undefined && { accountId: await accountIdOf(workspace, account) }),
      ...(event !== undefined && { event }),
    };
    if (options.follow) return await follow(workspace, filter, options);
    const events = await workspace.store.auditEvents.list(filter);
    report(terminal, options, { events: events.map(shown) }, events.length > 0 ? events.map(lineOf) : ['(none)']);
  }

  /** Prints what there is, and then what comes, a line each, until the terminal's signal. */
  async function follow({ store, clock }: Workspace, filter: AuditFilter, { json }: JsonOption): Promise<void> {
    const printed = new Map<string, number>();
    let events = await store.auditEvents.list(filter);
    while (!terminal.signal?.aborted) {
      for (const event of events.filter(({ id }) => !printed.has(id))) {
        terminal.stdout.write(`${json ? JSON.stringify(shown(event)) : lineOf(event)}\n`);
        printed.set(event.id, event.at);
      }
      await pause(POLL_MS, undefined, terminal.signal && { signal: terminal.signal }).catch(() => undefined);
      const since = Math.max(filter.since ?? 0, clock() - LATE_SECONDS);
      for (const [id, at] of printed) if (at < since) printed.delete(id);
      events = terminal.signal?.aborted ? [] : await store.auditEvents.list({ ...filter, since, limit: MAX_EVENTS });
    }
  }

  return withJson(new Command('audit'))
    .description('what happened: sign-ins, tokens, refusals, changes by administrators')
    .option('--since <time>', 'only what happened since then: 30m, 12h, 7d, or a date', parseSince)
    .option('--client <client-id>', 'only what concerns this client')
    .option('--account <user>', 'only what concerns this account: username, e-mail address or subject')
    .option('--event <name>', 'only events of this name')
    .option('--limit <count>', 'the newest so many', parseLimit, 100)
    .option('--follow', 'go on with what happens from now on')
    .action(audit);
}

/** Who is not there any more is known by the subject alone. */
async function accountIdOf({ accounts }: Workspace, name: string): Promise<string> {
  return (await accounts.findByUsername(name))?.id ?? name;
}
