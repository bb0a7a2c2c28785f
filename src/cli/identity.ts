#!/usr/bin/env node
// The entry of the `identity` command: hands the process to the program and its answer to the shell.
import { runIdentity } from './program.ts';

const { argv, env, stdin, stdout, stderr } = process;
process.exitCode = await runIdentity({ argv: argv.slice(2), env, stdin, stdout, stderr, cwd: process.cwd() });
