// Tells the operator, seldom, that the log service does not take lines, and how many were lost once it does again.
import type { Clock } from '../store.ts';
import type { LogEntry, Logger } from './logger.ts';

const intervalSeconds = 60;

/** Says about the delivery what a person needs to know, each thing at most once a minute. */
export interface DeliveryReport {
  trouble(reason: string, counts: { queued: number; dropped: number }): void;
  /** After a delivered line, with the number of lines dropped so far; answers a line for the log service, if any. */
  success(dropped: number): LogEntry | undefined;
  /** At the end, when lines are left. */
  stopped(undelivered: number): void;
}

/** Creates the report on a logger that must not forward to the delivery that is reported on. */
export function createDeliveryReport(logger: Logger, clock: Clock): DeliveryReport {
  let reportedAt = Number.NEGATIVE_INFINITY;
  let announcedAt = Number.NEGATIVE_INFINITY;
  let announced = 0;
  let open = false;
  return {
    trouble(reason, counts) {
      if (clock() < reportedAt + intervalSeconds) return;
      reportedAt = clock();
      open = true;
      logger.warn({ reason, ...counts }, 'the log service does not take lines');
    },
    success(dropped) {
      const lost = dropped - announced;
      if (lost > 0 && clock() < announcedAt + intervalSeconds) return undefined;
      if (lost === 0) {
        if (open) logger.info('the log service takes lines again, none was dropped');
        open = false;
        return undefined;
      }
      open = false;
      announcedAt = clock();
      announced = dropped;
      const message = 'log lines were dropped on their way to the log service';
      logger.warn({ dropped: lost }, message);
      return { level: 'WARN', message, context: { time: new Date(clock() * 1000).toISOString(), dropped: lost } };
    },
    stopped(undelivered) {
      logger.warn({ dropped: undelivered }, 'log lines could not be delivered before the end');
    },
  };
}
