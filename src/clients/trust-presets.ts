// The trust rules of well-known platforms, from what an operator knows about a workload there.
import type { TrustRule } from './trust-rules.ts';

/** A rule without its name. */
export type TrustConditions = Omit<TrustRule, 'name'>;

/** What a preset is made from, as an operator names it; each preset needs some of it. */
export interface PresetFacts {
  readonly repository?: string;
  readonly project?: string;
  readonly ref?: string;
  readonly environment?: string;
  readonly issuer?: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
}

/** Something is missing that the preset cannot do without; the message names it. */
export class IncompletePreset extends Error {
  override name = 'IncompletePreset';
}

type Need = (name: keyof PresetFacts) => string;

const presets: Readonly<Record<string, (need: Need, facts: PresetFacts) => TrustConditions>> = {
  /** https://docs.github.com/actions/reference/security/oidc: the subject names the environment instead of the ref */
  'github-actions': (need, { environment }) => ({
    issuer: 'https://token.actions.githubusercontent.com',
    subject: `repo:${need('repository')}:${environment === undefined ? `ref:${need('ref')}` : `environment:${environment}`}`,
  }),
  /** https://docs.gitlab.com/ci/secrets/id_token_authentication/ */
  'gitlab-ci': (need, { issuer = 'https://gitlab.com' }) => ({
    issuer,
    subject: `project_path:${need('project')}:ref_type:${gitlabRef(need('ref'))}`,
  }),
  /** A projected token is on disk for an hour, so a pod presents it many times. */
  kubernetes: (need) => ({
    issuer: need('issuer'),
    subject: `system:serviceaccount:${need('namespace')}:${need('serviceAccount')}`,
    reusable: true,
  }),
};

export const presetNames: readonly string[] = Object.keys(presets);

/** @throws IncompletePreset */
export function presetConditions(preset: string, facts: PresetFacts): TrustConditions {
  const conditions = presets[preset];
  if (conditions === undefined)
    throw new IncompletePreset(`preset ${preset} is unknown; known are ${presetNames.join(', ')}`);
  return conditions((name) => {
    const value = facts[name];
    if (value === undefined)
      throw new IncompletePreset(`preset ${preset} needs --${name.replace(/[A-Z]/g, '-$&').toLowerCase()}`);
    return value;
  }, facts);
}

/** `main` and `refs/heads/main` are a branch, `refs/tags/v1` is a tag. */
function gitlabRef(ref: string): string {
  const tag = /^refs\/tags\/(.+)$/.exec(ref)?.[1];
  return tag === undefined ? `branch:ref:${ref.replace(/^refs\/heads\//, '')}` : `tag:ref:${tag}`;
}
