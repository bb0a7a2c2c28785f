// `identity doctor`: whether a server could run here.
import { Command } from 'commander';
import { type Config, ConfigError } from '../config.ts';
import { probeMailServer } from '../mail/delivery.ts';
import { Failure, type JsonOption, report, type Terminal, withJson } from './terminal.ts';
import { loadConfig, openConfiguredStore } from './workspace.ts';

interface Finding {
  check: 'configuration' | 'proxies' | 'store' | 'keys' | 'mail';
  ok: boolean;
  /** it is all right in some installations only */
  warning?: true;
  detail: string;
}

function sentence(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** This service speaks http, so behind an https issuer there is a proxy. Passenger's, for one, calls through a socket. */
function proxyFindings({ issuer, trustedProxies }: Config): Finding[] {
  if (!issuer.startsWith('https:') || trustedProxies.length > 0) return [];
  const detail =
    'TRUSTED_PROXIES is unset: whatever a proxy passes on is refused with 400, unless it comes through a Unix socket';
  return [{ check: 'proxies', ok: true, warning: true, detail }];
}

/** Each check stands on the one before it: the first that fails ends them. */
async function examine(terminal: Terminal): Promise<Finding[]> {
  const findings: Finding[] = [];
  let check: Finding['check'] = 'configuration';
  try {
    const config = loadConfig(terminal);
    findings.push({ check, ok: true, detail: `${config.mode}, issuer ${config.issuer}` }, ...proxyFindings(config));
    check = 'store';
    await using store = await openConfiguredStore(config, () => Math.floor(Date.now() / 1000), terminal.cwd);
    await store.probe();
    findings.push({ check, ok: true, detail: `${config.database.engine}, written and read` });
    check = 'keys';
    const keys = await store.keys.list();
    findings.push({ check, ok: true, detail: keys.length === 0 ? 'none yet' : `${keys.length}, all open` });
    if (!config.mail) return findings;
    check = 'mail';
    await probeMailServer(config.mail);
    findings.push({ check, ok: true, detail: `${config.mail.server.host} takes letters` });
  } catch (error) {
    findings.push({ check, ok: false, detail: sentence(error) });
  }
  return findings;
}

/** The command that checks configuration, proxies, store, keys, and the mail server where there is one. */
export function doctorCommand(terminal: Terminal): Command {
  async function doctor(options: JsonOption): Promise<void> {
    const findings = await examine(terminal);
    const lines = findings.map(({ check, ok, warning, detail }) => {
      return `${warning ? 'warn' : ok ? 'ok  ' : 'FAIL'}  ${check.padEnd(13)}  ${detail}`;
    });
    report(terminal, options, { ok: findings.every(({ ok }) => ok), findings }, lines);
    const failed = findings.find(({ ok }) => !ok);
    if (failed) throw new Failure(`the ${failed.check} cannot be used as it is`);
  }

  return withJson(new Command('doctor')).description('check configuration, store, keys and mail').action(doctor);
}
