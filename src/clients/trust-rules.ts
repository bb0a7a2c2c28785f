// Which outside issuers a client trusts to say who it is, and under which conditions (workload identity, RFC 7523).
import type { Metadata } from './metadata-rules.ts';

/**
 * One rule of `trusted_issuers` in a client's metadata: an assertion of that issuer authenticates the client when the
 * subject and every claim named here match.
 */
export interface TrustRule {
  /** what the rule is called, to remove it */
  name: string;
  issuer: string;
  /** the `sub`; exact, or with a `*` at the end */
  subject?: string;
  /** further claims by name; exact, or with a `*` at the end */
  claims?: Record<string, string>;
  /** the `aud`; absent, this installation's issuer or token endpoint */
  audience?: string;
  /** it may be presented more than once, as long as it is good: for platforms that hand out one token for an hour */
  reusable?: boolean;
}

/** Issuers that sign for everybody: a rule must say for whom. */
const publicIssuers: Readonly<Record<string, readonly string[]>> = {
  'https://token.actions.githubusercontent.com': [
    'repository',
    'repository_id',
    'repository_owner',
    'repository_owner_id',
    'job_workflow_ref',
  ],
  'https://gitlab.com': ['project_path', 'project_id', 'namespace_path', 'namespace_id'],
};

/** Not conditions: each is checked by itself. */
const ownClaims = ['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti'];

const maxRules = 50;

/** What is wrong with `trusted_issuers` of a client's metadata, in words; undefined when nothing is. */
export function findTrustFault(rules: unknown): string | undefined {
  if (!Array.isArray(rules) || rules.length > maxRules) return `must be a list of at most ${maxRules} rules`;
  const names = new Set(rules.map((rule) => Object(rule).name));
  if (names.size !== rules.length) return 'must have rules of different names';
  for (const rule of rules) {
    const fault = findRuleFault(Object(rule));
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function findRuleFault(rule: Record<string, unknown>): string | undefined {
  const { name, issuer, subject, claims = {}, audience, reusable, ...others } = rule;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return `knows no condition ${unknown}`;
  if (typeof name !== 'string' || !/^[\x21-\x7e]{1,64}$/.test(name)) return 'must give each rule a name';
  if (typeof issuer !== 'string' || !isIssuer(issuer))
    return 'must name an issuer: an https URL without query or fragment';
  if (audience !== undefined && !isText(audience)) return 'must name an audience of 1 to 1024 characters';
  if (reusable !== undefined && typeof reusable !== 'boolean') return 'must say reusable with true or false';
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
    return 'must name claims with their values';
  return findConditionFault(issuer, subject, claims as Record<string, unknown>);
}

function findConditionFault(issuer: string, subject: unknown, claims: Record<string, unknown>): string | undefined {
  const names = Object.keys(claims);
  if (subject === undefined && names.length === 0) {
    return 'must narrow each rule down: by the subject, or by a claim that only this workload has';
  }
  if (subject !== undefined && !isPattern(subject, 2)) return patternFault('subject');
  for (const name of names) {
    if (ownClaims.includes(name)) return `has no use for ${name} among the claims: it is checked by itself`;
    if (!isPattern(claims[name], 1)) return patternFault(`claim ${name}`);
  }
  const narrowing = publicIssuers[issuer];
  if (subject === undefined && narrowing !== undefined && !narrowing.some((name) => names.includes(name))) {
    return `must say whose workload it is, since ${issuer} signs for everybody: by the subject, or by ${narrowing.join(', ')}`;
  }
  return undefined;
}

function patternFault(what: string): string {
  return `must have a ${what} that is exact, or ends with * after a : or / and is narrow before it`;
}

/** @param parts that have to stand before a `*` */
function isPattern(value: unknown, parts: number): boolean {
  if (!isText(value)) return false;
  const star = value.indexOf('*');
  if (star === -1) return true;
  const before = value.slice(0, star);
  return star === value.length - 1 && /[:/]$/.test(before) && before.split(/[:/]/).filter(Boolean).length >= parts;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 1_024 && !/\p{Cc}/u.test(value);
}

/** http is for issuers on this machine, which only a test can reach. */
function isIssuer(text: string): boolean {
  const url = /^https?:\/\/[\x21-\x7e]+$/.test(text) ? URL.parse(text) : null;
  if (url === null || url.username || url.password || /[?#]/.test(text)) return false;
  return url.protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
}

/** The rules of this metadata; damaged ones are none. */
export function trustRules(metadata: Metadata): TrustRule[] {
  const rules = metadata['trusted_issuers'];
  return rules === undefined || findTrustFault(rules) !== undefined ? [] : (rules as TrustRule[]);
}

/** Whether claims, of the rule's issuer, meet every condition of the rule. */
export function meetsTrustRule(
  { subject, claims = {} }: TrustRule,
  presented: Readonly<Record<string, unknown>>,
): boolean {
  const conditions = Object.entries({ ...claims, ...(subject !== undefined && { sub: subject }) });
  return (
    conditions.length > 0 &&
    conditions.every(([name, pattern]) => Object.hasOwn(presented, name) && meets(presented[name], pattern))
  );
}

function meets(value: unknown, pattern: string): boolean {
  if (typeof value !== 'string') return typeof value !== 'object' && String(value) === pattern;
  return pattern.endsWith('*')
    ? value.startsWith(pattern.slice(0, -1)) && value.length >= pattern.length
    : value === pattern;
}
