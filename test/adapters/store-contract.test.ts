// The storage contract, on every engine that there is.
import { describeArtifactContract } from './artifact-contract.ts';
import { describeAuditContract } from './audit-contract.ts';
import { postgres, sqlite } from './fixtures/temporary-database.ts';
import { describeKeyContract } from './key-contract.ts';
import { describeRevocationContract } from './revocation-contract.ts';
import { describeSignInContract } from './sign-in-contract.ts';
import { describeTableContract } from './table-contract.ts';

for (const engine of [sqlite, postgres]) {
  describeArtifactContract(engine);
  describeTableContract(engine);
  describeKeyContract(engine);
  describeRevocationContract(engine);
  describeAuditContract(engine);
  describeSignInContract(engine);
}
