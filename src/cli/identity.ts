#!/usr/bin/env node
// The entry of the `identity` command: hands the process to the program and its answer to the shell.
import { enableCompileCache } from 'node:module';

// Before the program is imported, so that its types are stripped once and not at every command.
enableCompileCache();
const { runIdentity } = await import('./program.ts');

const { argv, env, stdin, stdout, stderr } = process;
process.exitCode = await runIdentity({ argv: argv.slice(2), env, stdin, stdout, stderr, cwd: process.cwd() });
