// Everything between a configuration and a listening socket: opened in this order, ended in the opposite one.
import type { DestinationStream } from 'pino';
import { type App, createApp } from '../app.ts';
import type { Config } from '../config.ts';
import { createLogDelivery, type LogDelivery } from '../logging/delivery.ts';
import { createLogger, type Logger } from '../logging/logger.ts';
import { clock, openDatabase, prepareStore } from './database.ts';
import { startKeyWatch } from './key-watch.ts';
import { openListener, type Place } from './listener.ts';
import { startSweeper } from './sweeper.ts';

/** How long requests in flight, and then queued log lines, may take once the server is told to end. */
const DRAIN_MS = 7_000;
const LOG_DRAIN_MS = 2_000;

/** The service, listening. */
export interface RunningServer {
  readonly logger: Logger;
  /** `host:port`, or the path of the socket */
  readonly address: string;
  /**
   * `/ready` says 503 at once; requests in flight are answered, queued log lines delivered, the store closed. Takes at
   * most 9 s, apart from the store.
   */
  end(): Promise<void>;
}

/**
 * Opens the store and listens. What was opened is closed again when a later step fails.
 * @param options `destination` takes the log lines; a database that is not `prepared` is prepared first
 * @throws StoreRefused, StoreUnavailable, UnsealFailed, ListenRefused
 */
export async function startServer(options: {
  config: Config;
  place: Place;
  destination: DestinationStream;
  prepared: boolean;
}): Promise<RunningServer> {
  const { config, place, destination } = options;
  let delivery: LogDelivery | undefined;
  const logger = createLogger({
    level: config.logLevel,
    destination,
    forward: config.loggingBackendUrl ? (entry) => delivery?.push(entry) : undefined,
  });

  await using opening = new AsyncDisposableStack();
  const store = opening.use(await openDatabase(config));
  if (!options.prepared) await prepareStore(store, config, logger);
  const app = await createApp({ config, store, logger, clock, letterOutput: destination });
  opening.defer(() => app.end());
  delivery = startDelivery(app, config, createLogger({ level: config.logLevel, destination }));
  opening.defer(async () => {
    await delivery?.drain(LOG_DRAIN_MS);
    delivery?.stop();
  });
  opening.use(startKeyWatch({ keys: app.keys, store, schedule: config.keySchedule, logger, clock }));
  opening.use(startSweeper({ store, logger, clock }));
  const listener = await openListener(app.handle, place, logger);
  opening.defer(() => listener.close(DRAIN_MS));
  opening.defer(() => app.startDraining());

  app.noteStart();

  const opened = opening.move();
  return { logger, address: listener.address, end: () => opened.disposeAsync() };
}

/** @param logger of the delivery's own troubles: writes here only, since its lines would only add to them */
function startDelivery(app: App, config: Config, logger: Logger): LogDelivery | undefined {
  if (!config.loggingBackendUrl) return undefined;
  return createLogDelivery({
    url: config.loggingBackendUrl,
    service: config.identitySub,
    token: async () => (await app.logServiceToken()).token,
    clock,
    logger,
  });
}
