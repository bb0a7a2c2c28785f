// Tests that security events are told once each, with the facts that make them traceable and no token.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createAuditLog, tokenHash } from '../../src/logging/events.ts';
import { createLogger } from '../../src/logging/logger.ts';
import { createRecording } from './recording.ts';

describe('audit log', () => {
  const recording = createRecording();
  const logger = createLogger({ level: 'info', destination: recording });
  const audit = createAuditLog(logger);

  it('writes one line with the name of the event and its facts', () => {
    const facts = { requestId: 'r1', clientId: 'web', accountId: 'a1', peer: '127.0.0.1', ip: '192.0.2.7' };
    audit.loginSucceeded(facts);
    const { level, time: _time, pid: _pid, hostname: _hostname, ...line } = recording.lines.at(-1) ?? {};
    assert.equal(level, 30);
    assert.deepEqual(line, { event: 'loginSucceeded', ...facts, msg: 'login succeeded' });
  });

  it('leaves out facts that are not known', () => {
    audit.loginFailed({ requestId: 'r2', accountId: undefined });
    assert.ok(!('accountId' in (recording.lines.at(-1) ?? {})));
  });

  for (const event of Object.keys(audit) as (keyof typeof audit)[]) {
    it(`names a token of ${event} by its hash only`, () => {
      const before = recording.lines.length;
      audit[event]({ tokenId: 'canary-token-id' });
      const line = recording.lines.at(-1);
      assert.equal(recording.lines.length, before + 1);
      assert.equal(line?.['event'], event);
      assert.equal(line?.['tokenHash'], tokenHash('canary-token-id'));
      assert.ok(!recording.text.includes('canary'));
    });
  }

  it('cleans every fact, on its way past the usual cleaning, and writes the line that the logger would', () => {
    const reason = `\u001b[31m\n{"password":"x"} eyJ${'a'.repeat(20)}.b.c ${'long '.repeat(400)}`;
    const facts = { ip: '192.0.2.1\n', command: 'add --password=x', reason, count: 3 };
    const lineOf = (log: () => void) => {
      log();
      const { time, ...line } = recording.lines.at(-1) ?? {};
      return { ...line, isTime: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(String(time)) };
    };
    const byAudit = lineOf(() => audit.tokenRefused(facts));
    assert.deepEqual(
      byAudit,
      lineOf(() => logger.warn({ event: 'tokenRefused', ...facts }, 'token refused')),
    );
    assert.equal(byAudit.isTime, true);
    assert.ok(!/password=x|eyJ|\p{Cc}/u.test(JSON.stringify(byAudit)), JSON.stringify(byAudit));
  });

  it('keeps quiet below the level of the log', () => {
    const quiet = createRecording();
    const quietAudit = createAuditLog(createLogger({ level: 'error', destination: quiet }));
    quietAudit.tokenIssued({});
    quietAudit.codeReplayed({});
    assert.deepEqual(
      quiet.lines.map(({ event }) => event),
      ['codeReplayed'],
    );
  });

  it('hashes with SHA-256 to 16 characters of base64url', () => {
    const expected = createHash('sha256').update('x').digest('base64url');
    assert.equal(tokenHash('x'), expected.slice(0, 16));
  });
});
