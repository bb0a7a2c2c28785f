// `identity client trust|untrust`: which outside issuers may say who a client is, so that it needs no secret.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type PresetFacts, presetConditions, presetNames } from '../clients/trust-presets.ts';
import type { TrustRule } from '../clients/trust-rules.ts';
import { Failure, type JsonOption, memberLines, report, type Terminal, withJson } from './terminal.ts';
import { openWorkspace } from './workspace.ts';

interface TrustOptions extends JsonOption, PresetFacts {
  name?: string;
  preset?: string;
  subject?: string;
  claim?: Record<string, string>;
  audience?: string;
  reusable?: true;
}

function collectCondition(written: string, previous: Readonly<Record<string, string>> = {}): Record<string, string> {
  const cut = written.indexOf('=');
  if (cut < 1) throw new InvalidArgumentError('It must be NAME=VALUE.');
  return { ...previous, [written.slice(0, cut)]: written.slice(cut + 1) };
}

/** The rule that the options stand for, without its name; options stand over the preset. */
function conditionsOf({ preset, issuer, subject, claim, audience, reusable, ...facts }: TrustOptions) {
  const base = preset === undefined ? undefined : presetConditions(preset, { ...facts, ...(issuer && { issuer }) });
  if (base === undefined && issuer === undefined) throw new Failure('a rule needs --issuer or --preset');
  return {
    ...base,
    ...(issuer !== undefined && { issuer }),
    ...(subject !== undefined && { subject }),
    ...(claim !== undefined && { claims: claim }),
    ...(audience !== undefined && { audience }),
    ...(reusable && { reusable }),
  } as Omit<TrustRule, 'name'>;
}

/** Adds the commands to `identity client`. */
export function addTrustCommands(client: Command, terminal: Terminal): void {
  async function trust(clientId: string, options: TrustOptions): Promise<void> {
    const conditions = conditionsOf(options);
    await using workspace = await openWorkspace(terminal);
    const rule = await workspace.clients.trust(clientId, conditions, options.name);
    if (rule === undefined) throw new Failure(`there is no client ${clientId}`);
    report(terminal, options, { client_id: clientId, ...rule }, [
      `${clientId} is whoever this rule describes:`,
      ...memberLines({ ...rule }),
    ]);
  }

  async function untrust(clientId: string, name: string, options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    if (!(await workspace.clients.untrust(clientId, name))) {
      throw new Failure(`there is no client ${clientId} with a trust rule ${name}`);
    }
    report(terminal, options, { client_id: clientId, name }, [`removed the trust rule ${name} of ${clientId}`]);
  }

  withJson(client.command('trust <client-id>'))
    .description('let a platform\'s JWT authenticate the client; "client show" lists the rules')
    .addOption(new Option('--preset <platform>', 'a platform that is known here').choices(presetNames))
    .option('--repository <owner/name>', 'github-actions: the repository')
    .option('--project <group/name>', 'gitlab-ci: the project')
    .option('--ref <ref>', 'github-actions, gitlab-ci: the branch or tag, such as refs/heads/main')
    .option('--environment <name>', 'github-actions: the environment of the job, instead of --ref')
    .option('--namespace <name>', 'kubernetes: the namespace of the service account')
    .option('--service-account <name>', 'kubernetes: the service account')
    .option('--issuer <url>', 'who signs the JWT')
    .option('--subject <sub>', 'its sub; exact, or with * at the end, after : or /')
    .option('--claim <name=value>', 'a further claim, in the same way; may be repeated', collectCondition)
    .option('--audience <aud>', 'its aud (default: the issuer or the token endpoint of this installation)')
    .option('--reusable', 'it may be presented again until it expires')
    .option('--name <name>', 'what the rule is called (default: the next number)')
    .action(trust);
  withJson(client.command('untrust <client-id> <name>')).description('remove a trust rule').action(untrust);
}
