// `identity key list`: what each signing key does, and whether verifiers know the next one.
import { readiness } from '../keys/jwks-fetches.ts';
import { keyState } from '../keys/schedule.ts';
import type { JwksFetch, SigningKeyTimes } from '../store.ts';
import { instant, type JsonOption, report, type Terminal, table } from './terminal.ts';
import { openWorkspace } from './workspace.ts';

/** More verifiers than these are counted, not listed. */
const SHOWN = 20;

const wire = ({ address, agent, lastAt }: JwksFetch) => ({ address, agent, last_at: lastAt });

/** @throws ConfigError, StoreRefused, StoreUnavailable, UnsealFailed */
export async function listKeys(terminal: Terminal, options: JsonOption): Promise<void> {
  await using workspace = await openWorkspace(terminal);
  const now = workspace.clock();
  // with the private parts, so that the list says when they do not open
  const keys = await workspace.store.keys.list();
  const fetches = await workspace.store.jwksFetches.list();
  const rows = keys.map((key) => {
    const dates = [key.createdAt, key.signsAt, key.stopsAt, key.removedAt];
    return [key.kid, key.alg, keyState(key, now), ...dates.map((at) => (at === undefined ? '-' : instant(at)))];
  });
  report(terminal, options, { keys: keys.map((key) => members(key, now, fetches)) }, [
    ...table(['KID', 'ALG', 'STATE', 'PUBLISHED', 'SIGNS FROM', 'UNTIL', 'REMOVED'], rows),
    ...readinessLines(keys, now, fetches),
  ]);
}

function members(key: SigningKeyTimes, now: number, fetches: readonly JwksFetch[]) {
  const state = keyState(key, now);
  const { ready, waiting } = readiness(key, fetches);
  return {
    kid: key.kid,
    alg: key.alg,
    state,
    signs: state === 'signing',
    created_at: key.createdAt,
    signs_at: key.signsAt,
    stops_at: key.stopsAt ?? null,
    removed_at: key.removedAt ?? null,
    ...(state === 'next' && { fetched_by: ready.map(wire), not_fetched_by: waiting.map(wire) }),
  };
}

/** For the next key that was published last: whoever has that one has the others. */
function readinessLines(keys: readonly SigningKeyTimes[], now: number, fetches: readonly JwksFetch[]): string[] {
  const next = keys.filter((key) => keyState(key, now) === 'next');
  const youngest = next.toSorted((a, b) => b.createdAt - a.createdAt)[0];
  if (youngest === undefined) return [];
  const { ready, waiting } = readiness(youngest, fetches);
  const rows = (list: readonly JwksFetch[]) =>
    list.slice(0, SHOWN).map(({ address, agent, lastAt }) => `  ${instant(lastAt)}  ${address}  ${agent}`);
  return [
    '',
    `Since the next key was published, /jwks was fetched by ${ready.length} verifiers:`,
    ...rows(ready),
    `and not yet by ${waiting.length} that fetched it before:`,
    ...rows(waiting),
  ];
}
