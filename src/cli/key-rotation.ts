// `identity key rotate` and `retire`: the next key, published or put to use, and what that means for verifiers.
import { maxAges } from '../http/published-documents.ts';
import { type SigningAlg, signingAlgs } from '../keys/key-generation.ts';
import { createKeyRotation, type Rotation, UnknownKey } from '../keys/rotation.ts';
import { keyState } from '../keys/schedule.ts';
import { openKeyring } from '../keys/signing-keys.ts';
import { Failure, instant, type JsonOption, report, type Terminal, warn } from './terminal.ts';
import { loadConfig, openWorkspace, type Workspace } from './workspace.ts';

export interface RotateOptions extends JsonOption {
  alg?: SigningAlg;
  now?: boolean;
}

export interface RetireOptions extends JsonOption {
  now?: boolean;
}

/** How long a verifier may keep the JWKS, in seconds. */
const CACHED = maxAges['/jwks'] ?? 0;

/** @throws ConfigError, StoreRefused, StoreUnavailable, UnsealFailed */
export async function rotate(terminal: Terminal, { alg, now = false, ...options }: RotateOptions) {
  await using workspace = await openWorkspace(terminal);
  const rotation = await openRotation(terminal, workspace);
  await finish(terminal, workspace, options, await rotation.rotate(alg ? [alg] : signingAlgs, { now }));
}

/** @throws Failure when there is no such key, ConfigError, StoreRefused, StoreUnavailable, UnsealFailed */
export async function retire(terminal: Terminal, kid: string, { now = false, ...options }: RetireOptions) {
  await using workspace = await openWorkspace(terminal);
  const rotation = await openRotation(terminal, workspace);
  try {
    await finish(terminal, workspace, options, await rotation.retire(kid, { now }));
  } catch (error) {
    throw error instanceof UnknownKey ? new Failure(error.message) : error;
  }
}

/** With the keys that an installation has before its first start, too; keys that do not open stop everything. */
async function openRotation(terminal: Terminal, { store, clock }: Workspace) {
  await openKeyring({ keys: store.keys, clock });
  return createKeyRotation({ keys: store.keys, clock, schedule: loadConfig(terminal).keySchedule });
}

async function finish(terminal: Terminal, { clock }: Workspace, options: JsonOption, done: Rotation): Promise<void> {
  const now = clock();
  const changed = [...done.published, ...done.changed];
  const early = changed.filter(({ createdAt, signsAt }) => signsAt > now && signsAt < createdAt + CACHED);
  const members = changed.map((key) => ({
    kid: key.kid,
    alg: key.alg,
    state: keyState(key, now),
    created_at: key.createdAt,
    signs_at: key.signsAt,
    stops_at: key.stopsAt ?? null,
    removed_at: key.removedAt ?? null,
  }));
  const lines = [
    ...changed.map((key) => `${key.kid} (${key.alg}) ${whatNext(key, now)}`),
    ...done.forgotten.map((kid) => `${kid} is withdrawn; it has signed nothing`),
  ];
  if (early.length > 0) {
    warn(
      terminal,
      `whoever fetched the JWKS less than ${CACHED / 60} minutes ago may refuse the new tokens until they fetch it again`,
    );
  }
  report(
    terminal,
    options,
    { keys: members, withdrawn: done.forgotten },
    lines.length > 0 ? lines : ['nothing to do: it is so already'],
  );
}

function whatNext({ signsAt, stopsAt, removedAt }: Rotation['published'][number], now: number): string {
  const facts = [
    signsAt > now ? `signs from ${instant(signsAt)}` : undefined,
    stopsAt !== undefined && stopsAt > now ? `stops signing at ${instant(stopsAt)}` : undefined,
    removedAt !== undefined && removedAt > now ? `is removed at ${instant(removedAt)}` : undefined,
  ];
  return facts.filter((fact) => fact !== undefined).join(', ') || 'goes on signing';
}
