// The rules for secrets: long enough, nobody's example, each used for one purpose; a problem never shows the value.
import { z } from 'zod';
import type { Environment, VariableName } from './variables.ts';

const MIN_BYTES = 32;
const MIN_CLIENT_SECRET_BYTES = 16;

/** Printed in the documentation of the service, so known to everybody. */
const PUBLISHED = ['dkYM8s8HJGPjjWdXeC9M8uKDnt-G_faRZOEeMYSx4p4'];

/** What stands in documentation and templates; compared without case and punctuation. */
const PLACEHOLDERS = [
  'changeit',
  'changeme',
  'changethis',
  'clientsecret',
  'default',
  'example',
  'insecure',
  'jwtsecret',
  'mysecret',
  'notsecret',
  'password',
  'placeholder',
  'pleasechange',
  'replacethis',
  'replaceme',
  'replacewith',
  'secretkey',
  'seebelow',
  'sharedsecret',
  'supersecret',
  'testsecret',
  'yoursecret',
];

/** A comma-separated list of secrets of at least 32 bytes each: the first signs or encrypts, all verify or decrypt. */
export function secretList() {
  return z
    .string({ error: `must be set to at least ${MIN_BYTES} random bytes, got nothing` })
    .transform((text, context) => {
      const secrets = text.split(',');
      for (const [index, secret] of secrets.entries()) {
        const fault = secretFault(secret, MIN_BYTES);
        const place = secrets.length > 1 ? ` as element ${index + 1} of the list` : '';
        if (fault) context.addIssue(`${fault}${place}`);
      }
      if (new Set(secrets).size < secrets.length) context.addIssue('must list each secret once, got one twice');
      return secrets;
    });
}

/** One secret of a client. Outside production a short one will do, such as an example's. */
export function clientSecret(production: boolean) {
  return z.string().transform((text, context) => {
    const fault = production ? secretFault(text, MIN_CLIENT_SECRET_BYTES) : spaceFault(text);
    if (fault) context.addIssue(fault);
    return text;
  });
}

/** What is wrong between secrets: a missing one, two names for one that disagree, one value with two purposes. */
export function secretProblems(env: Environment): string[] {
  const { COOKIE_SECRET: cookieSecret, FLASK_SECRET_KEY: oldCookieSecret } = env;
  const problems: string[] = [];
  if (!cookieSecret && !oldCookieSecret) {
    problems.push(`COOKIE_SECRET: must be set to at least ${MIN_BYTES} random bytes, got nothing`);
  }
  if (cookieSecret && oldCookieSecret && cookieSecret !== oldCookieSecret) {
    problems.push('FLASK_SECRET_KEY: must equal COOKIE_SECRET, whose old name it is, or be unset, got another value');
  }
  return [...problems, ...sharedValues(env)];
}

function sharedValues(env: Environment): string[] {
  const owners = new Map<string, VariableName>();
  const problems = new Set<string>();
  for (const [name, secret] of secretsOf(env)) {
    const owner = owners.get(secret) ?? name;
    owners.set(secret, owner);
    if (owner !== name) problems.add(`${name}: must differ from ${owner}, got the same secret`);
  }
  return [...problems];
}

function secretsOf(env: Environment): [VariableName, string][] {
  const cookieName = env.COOKIE_SECRET ? 'COOKIE_SECRET' : 'FLASK_SECRET_KEY';
  const lists = [cookieName, 'JWT_SECRET_KEY', 'ENCRYPTION_KEY'] as const;
  const secrets: [VariableName, string | undefined][] = lists.flatMap((name) =>
    (env[name] ?? '').split(',').map((element): [VariableName, string] => [name, element.trim()]),
  );
  secrets.push(['DATABASE_URL', passwordIn(env.DATABASE_URL)]);
  secrets.push(['SMTP_URL', passwordIn(env.SMTP_URL)]);
  secrets.push(['BROWSER_UI_CLIENT_SECRET', env.BROWSER_UI_CLIENT_SECRET]);
  secrets.push(['DEMO_PASSWORD', env.DEMO_PASSWORD]);
  return secrets.flatMap(([name, secret]): [VariableName, string][] => (secret ? [[name, secret]] : []));
}

function passwordIn(url: string | undefined): string | undefined {
  const password = url && URL.canParse(url) ? new URL(url).password : '';
  try {
    return decodeURIComponent(password);
  } catch {
    return password;
  }
}

function secretFault(secret: string, minBytes: number): string | undefined {
  if (secret === '') return 'must have a secret between commas, got nothing';
  const bytes = Buffer.byteLength(secret);
  return (
    spaceFault(secret) ??
    (isPlaceholder(secret) ? 'must be a random secret of your own, got a placeholder' : undefined) ??
    (bytes < minBytes ? `must be at least ${minBytes} bytes, got ${bytes}` : undefined) ??
    (isPatterned(secret) ? 'must be random, got a pattern' : undefined)
  );
}

function spaceFault(secret: string): string | undefined {
  return secret === secret.trim() ? undefined : 'must have no space before or after it, got some';
}

/** Also what a shell or a template should have replaced: `<…>`, `$(…)`, `${…}`, `{{…}}`. */
function isPlaceholder(secret: string): boolean {
  if (PUBLISHED.includes(secret) || /^(<.*>|\$[({].*|\{\{.*\}\})$/s.test(secret)) return true;
  const letters = secret.toLowerCase().replace(/[^a-z]/g, '');
  return PLACEHOLDERS.some((word) => letters.includes(word));
}

/** Few different characters, a repeated part, or a run such as `abcdef…`: none of which happens to 32 random bytes. */
function isPatterned(secret: string): boolean {
  const characters = [...secret];
  return new Set(characters).size < 6 || isRepetition(secret) || isRun(characters);
}

function isRepetition(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period++) {
    if (text.startsWith(text.slice(period))) return true;
  }
  return false;
}

function isRun(characters: readonly string[]): boolean {
  const codes = characters.map((character) => character.codePointAt(0) ?? 0);
  const steps = codes.slice(1).filter((code, index) => Math.abs(code - (codes[index] ?? 0)) === 1);
  return steps.length > codes.length / 2;
}
