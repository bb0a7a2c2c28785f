// A process that serves, and kills itself at the nth call of its database after SIGUSR2: `dying-process.ts LOCATION NTH`.
import { startFaultyService } from './faulty-service.ts';

const [location = '', nth = ''] = process.argv.slice(2);
const service = await startFaultyService(JSON.parse(location), process.env);
process.on('SIGUSR2', () => {
  service.faulty.arm(Number(nth), async () => {
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined); // nothing more happens until the signal arrives
  });
  process.stdout.write('armed\n');
});
process.stdout.write(`${service.origin}\n`);
