// How long the fault stories are: short for every day, or with `FAULTS=long` the full counts.

export const long = process.env['FAULTS'] === 'long';
