// A process that is the library alone, with its in-memory adapter and the smallest interaction that signs somebody in.
import { startSmallestProvider } from './smallest-provider.ts';

await startSmallestProvider();
