// The same process over the storage of this service, and nothing else of it: sealed, hashed, committed before each answer.
import { openStore } from '../../adapters/open-store.ts';
import { createProviderAdapter } from '../../adapters/provider-adapter.ts';
import { createRequestUnits } from '../../adapters/request-units.ts';
import { parseConfig } from '../../src/config.ts';
import { createUnitOfWorkMiddleware } from '../../src/http/unit-of-work.ts';
import { createSecretBox } from '../../src/keys/secret-box.ts';
import { startSmallestProvider } from './smallest-provider.ts';

const { database, encryptionKeys } = parseConfig(process.env);
const clock = () => Math.floor(Date.now() / 1000);
const store = await openStore({ database, clock, box: createSecretBox(encryptionKeys) });
await store.migrate();
const units = createRequestUnits(store.artifacts, clock);
const untranslated = (error: unknown) => error;

await startSmallestProvider({
  adapter: createProviderAdapter({
    artifacts: units.artifacts,
    findClient: async () => undefined, // the one there is stands in the configuration
    translate: untranslated,
  }),
  middleware: createUnitOfWorkMiddleware({ run: units.run, translate: untranslated }),
});
