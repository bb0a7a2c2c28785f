// What OIDC_FEATURES names before it exists is said, not silently accepted.
import assert from 'node:assert/strict';
import { startService } from '../support/service.ts';

describe('Optional features', () => {
  it('are warned of at the start when this version does not have them', async () => {
    await using service = await startService({ OIDC_FEATURES: 'jarm,device,ciba' });
    const lines = service.log.filter((line) => line.includes('OIDC_FEATURES'));
    assert.equal(lines.length, 1);
    assert.deepEqual(JSON.parse(String(lines[0])).features, ['device', 'ciba']);
  });

  it('are not warned of when it has them', async () => {
    await using service = await startService({ OIDC_FEATURES: 'jarm,token-exchange' });
    assert.ok(!service.log.some((line) => line.includes('OIDC_FEATURES')));
  });
});
