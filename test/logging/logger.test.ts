// Tests the shape of the log's lines and of what is forwarded of them.
import assert from 'node:assert/strict';
import { record } from './recording.ts';

const jwt = `eyJhbGciOiJIUzI1NiJ9.${'eyJzdWIiOiJhIn0'.repeat(4)}.c2lnbmF0dXJlLXNpZ25hdHVyZQ`;

describe('logger', () => {
  it('writes one JSON line per event with level, ISO time, fields and message', () => {
    const { recording, logger } = record();
    logger.info({ clientId: 'web', count: 3, found: true, none: null }, 'hello %s', 'you');
    const [line] = recording.lines;
    assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const { level, clientId, count, found, none, msg } = line ?? {};
    assert.deepEqual(
      { level, clientId, count, found, none, msg },
      { level: 30, clientId: 'web', count: 3, found: true, none: null, msg: 'hello you' },
    );
    assert.ok(recording.text.endsWith('}\n'));
  });

  it('keeps the bindings of child loggers', () => {
    const { recording, logger } = record();
    logger.child({ requestId: 'r1' }).warn('careful');
    assert.equal(recording.lines[0]?.['requestId'], 'r1');
  });

  it('writes nothing below its level', () => {
    const { recording, forwarded, logger } = record('warn');
    logger.info('quiet');
    assert.equal(recording.text, '');
    assert.deepEqual(forwarded, []);
  });

  it('does not let a field pretend another level or time', () => {
    const { recording, forwarded, logger } = record();
    logger.child({ level: 60, time: 'never' }).error({ level: 10, time: 'x' }, 'real');
    assert.equal(recording.lines[0]?.['level'], 50);
    assert.match(String(recording.lines[0]?.['time']), /Z$/);
    assert.equal(forwarded[0]?.level, 'ERROR');
    assert.equal(recording.text.match(/"level":/g)?.length, 1);
  });

  it('writes a field named __proto__ as a field', () => {
    const { recording, logger } = record();
    logger.info({ query: JSON.parse('{"__proto__":{"polluted":true}}') }, 'odd');
    assert.ok(recording.text.includes('"__proto__":{"polluted":true}'));
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  it('reports an error with its type, message, code and frames', () => {
    const { recording, logger } = record();
    const cause = new Error('disk full');
    logger.error({ err: Object.assign(new TypeError('cannot write', { cause }), { code: 'SQLITE_FULL' }) }, 'failed');
    const err = recording.lines[0]?.['err'] as Record<string, string>;
    assert.equal(err['type'], 'TypeError');
    assert.match(err['message'] ?? '', /^cannot write: disk full$/);
    assert.equal(err['code'], 'SQLITE_FULL');
    assert.match(err['stack'] ?? '', /^at .*logger\.test\.ts/);
    assert.match(err['stack'] ?? '', /caused by: Error: disk full/);
  });

  it('keeps the frames of an error with a very long message', () => {
    const { recording, logger } = record();
    logger.error(new Error('x\n'.repeat(50_000)));
    const err = recording.lines[0]?.['err'] as Record<string, string>;
    assert.match(err['stack'] ?? '', /^at .*logger\.test\.ts/);
  });

  describe('forwards each line of level info and above', () => {
    it('in the shape of the log service', () => {
      const { forwarded, logger } = record('trace');
      logger.debug('detail');
      logger.trace('more detail');
      logger.child({ requestId: 'r1' }).info({ user: 'alice' }, 'signed in');
      logger.warn('careful');
      logger.error('broken');
      logger.fatal('over');
      const [first, ...rest] = forwarded;
      const { time, ...context } = first?.context ?? {};
      assert.match(String(time), /Z$/);
      assert.deepEqual(
        { ...first, context },
        {
          level: 'INFO',
          message: 'signed in',
          context: { requestId: 'r1', user: 'alice' },
        },
      );
      assert.deepEqual(
        rest.map(({ level, message }) => [level, message]),
        [
          ['WARN', 'careful'],
          ['ERROR', 'broken'],
          ['FATAL', 'over'],
        ],
      );
    });

    it('as clean as it is written', () => {
      const { forwarded, logger } = record();
      logger.info({ password: 'canary-1', nested: { cookie: 'canary-2' } }, `got ${jwt}\nand more`);
      assert.ok(!JSON.stringify(forwarded).includes('canary'));
      assert.equal(forwarded[0]?.message, 'got [jwt]␊and more');
    });
  });
});
