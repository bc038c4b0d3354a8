/** Where the log goes: standard error, readable on a terminal, one JSON object a line for machines. */

import { configure, getJsonLinesFormatter, getTextFormatter, type LogLevel, type LogRecord } from "@logtape/logtape";

/** Sends what weighs at least `level` to standard error. Called once, by the program that runs. */
export async function configureLogging(level: LogLevel): Promise<void> {
  const format = Deno.stderr.isTerminal() ? getTextFormatter() : getJsonLinesFormatter({ message: "template" });
  const encoder = new TextEncoder();
  const sink = (record: LogRecord) => {
    try {
      const line = encoder.encode(format(record));
      // the system may take less than all of it at once
      for (let written = 0; written < line.length;) written += Deno.stderr.writeSync(line.subarray(written));
    } catch {
      // nobody reads standard error any more: the node goes on without its log
    }
  };
  await configure({
    sinks: { stderr: sink },
    loggers: [
      { category: ["kituo"], sinks: ["stderr"], lowestLevel: level },
      // the library's own voice: its troubles, not its greetings
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "warning" },
    ],
  });
}
