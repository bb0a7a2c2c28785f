// The start file of `npm start`, the Procfile and Phusion Passenger: checks the version of Node, then starts src/main.ts.

// Plain JavaScript without a static import, so that an old Node gets as far as the message below.
const major = Number(process.versions.node.split('.')[0]);

if (major >= 24) {
  // Not awaited: Passenger may load this file with require(), which refuses a module with top-level await.
  import('./src/main.ts').catch((error) => {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    process.exit(1);
  });
} else {
  process.stderr.write(
    `identity-backend needs Node 24 or newer, but this is Node ${process.versions.node} (${process.execPath}).\n`,
  );
  process.exit(1);
}
