// The set-up of a development machine: reads `.env`, and on the first start writes the secrets that it lacks.
import { randomBytes } from 'node:crypto';
import { appendFileSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parse } from 'dotenv';

type Env = Readonly<Record<string, string | undefined>>;

export interface PreparedEnvironment {
  /** for `parseConfig`: what was passed, and below it what the file says */
  readonly env: Record<string, string | undefined>;
  /** whether the file is new */
  readonly created: boolean;
  /** names of the variables that this call wrote to the file */
  readonly written: readonly string[];
}

type Random = (bytes: number) => Buffer;

interface Options {
  /** path of `.env` */
  envFile: string;
  /** this many random bytes */
  random?: Random;
}

/** Name, comment and value of one line of the file. */
type Entry = [name: string, comment: string, value: string];

/**
 * Completes the environment in development and leaves it alone otherwise: in production and under test no file is read
 * or written. A variable that `env` sets (an empty one is unset) wins over the file. Required secrets that neither sets
 * are made and kept: in a new file of mode 0600, with a demo account and the client `browser-ui`, or at the end of the
 * file that is there. Several processes may start at once: one makes the file, the others read it.
 * @throws Error of the file system when the file can be neither read nor written
 */
export function prepareDevelopment(env: Env, { envFile, random = randomBytes }: Options): PreparedEnvironment {
  if (env['NODE_ENV'] !== 'development') return { env: { ...env }, created: false, written: [] };
  const text = readIfThere(envFile);
  if (text !== undefined) return complete(env, envFile, text, random);
  const missing = missingSecrets(env, random);
  if (missing.length === 0) return { env: { ...env }, created: false, written: [] };
  const entries = [...missing, ...demonstration(random)];
  const heading = '# Made by the first start in development. Keep it on this machine; production does not read it.\n';
  if (!createFile(envFile, `${heading}${lines(entries)}`)) {
    return complete(env, envFile, readFileSync(envFile, 'utf8'), random);
  }
  return { env: merged(env, lines(entries)), created: true, written: namesOf(entries) };
}

/** Adds what the file lacks at its end; its own lines stay as they are. */
function complete(env: Env, envFile: string, text: string, random: Random): PreparedEnvironment {
  const missing = missingSecrets(merged(env, text), random);
  const added = missing.length > 0 && text !== '' && !text.endsWith('\n') ? `\n${lines(missing)}` : lines(missing);
  if (added !== '') appendFileSync(envFile, added, { mode: 0o600 });
  return { env: merged(env, text + added), created: false, written: namesOf(missing) };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The environment wins by meaning: an empty value is unset, and the old name of a variable sets it as the new one does. */
function merged(env: Env, text: string): Record<string, string | undefined> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value));
  const file = parse(text);
  if (hasCookieSecret(given)) {
    delete file['COOKIE_SECRET'];
    delete file['FLASK_SECRET_KEY'];
  }
  return { ...env, ...file, ...given };
}

function hasCookieSecret(env: Env): boolean {
  return Boolean(env['COOKIE_SECRET'] || env['FLASK_SECRET_KEY']);
}

function missingSecrets(env: Env, random: Random): Entry[] {
  const secret = () => random(32).toString('base64url');
  const required: [string, string, boolean][] = [
    ['COOKIE_SECRET', 'signs cookies', hasCookieSecret(env)],
    [
      'JWT_SECRET_KEY',
      'signs HS256 tokens; the services that verify them need the same',
      Boolean(env['JWT_SECRET_KEY']),
    ],
    [
      'ENCRYPTION_KEY',
      'encrypts what the database keeps secret; without it the data is lost',
      Boolean(env['ENCRYPTION_KEY']),
    ],
  ];
  return required.flatMap(([name, comment, present]): Entry[] => (present ? [] : [[name, comment, secret()]]));
}

function demonstration(random: Random): Entry[] {
  return [
    ['DEMO_USERNAME', 'the account to sign in with', 'demo'],
    ['DEMO_PASSWORD', 'its password', readable(random(16))],
    ['BROWSER_UI_CLIENT_SECRET', 'the secret of the client browser-ui', random(32).toString('base64url')],
  ];
}

function namesOf(entries: readonly Entry[]): string[] {
  return entries.map(([name]) => name);
}

/** Groups of four letters and digits that no eye confuses: 5 bits from each byte. */
function readable(bytes: Buffer): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
  const letters = [...bytes].map((byte) => alphabet[byte % alphabet.length]).join('');
  return letters.replace(/(.{4})(?=.)/g, '$1-');
}

function lines(entries: readonly Entry[]): string {
  return entries.map(([name, comment, value]) => `# ${comment}\n${name}=${value}\n`).join('');
}

/** Makes the file with all of its text at once, so that nobody reads half of it; false when there is one already. */
function createFile(file: string, text: string): boolean {
  const whole = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(whole, text, { mode: 0o600, flag: 'wx' });
    linkSync(whole, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(whole, { force: true });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
